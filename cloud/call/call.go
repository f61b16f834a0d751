// Package call owns how every AWS call is made: its pace, its lane, how it is counted, and what its error means.
//
// It may import model/fault and the AWS SDK's plumbing, nothing else. Its invariants: every error that leaves an attached client
// carries a [fault.Error] with the action as an IAM policy writes it, and no call leaves faster than the limiter allows.
package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/headgate/headgate/model/fault"
)

// Observer is told of every attempt: the service and operation by their SDK names, AWS's error code ("" when it succeeded,
// "NoAnswer" when there was none), and how long the attempt took.
type Observer func(service, operation, code string, took time.Duration)

// NoAnswer is the code of an attempt that AWS did not answer: a cut connection, a timeout.
const NoAnswer = "NoAnswer"

// Wire is what is attached to every client of one account and region.
type Wire struct {
	// Limits sets the pace.
	Limits *Limits
	// OnCall is told of every attempt; it may be nil.
	OnCall Observer
	// Term says how long calls may be made; nil is for ever.
	Term Term
}

// Attach adds the wire to an operation's stack; it is an option of aws.Config.APIOptions.
func (w Wire) Attach(stack *middleware.Stack) error {
	if err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("HeadgateFault", classify), middleware.Before); err != nil {
		return fmt.Errorf("adding the fault step: %w", err)
	}
	attempt := middleware.FinalizeMiddlewareFunc("HeadgateAttempt", w.attempt)
	if err := stack.Finalize.Insert(attempt, "Retry", middleware.After); err != nil {
		return fmt.Errorf("adding the attempt step: %w", err)
	}
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("HeadgateTerm", w.send), middleware.After); err != nil {
		return fmt.Errorf("adding the term step: %w", err)
	}
	return nil
}

// send looks once more whether the term is over, the last thing before a request leaves: the process may have stood still since the attempt began.
func (w Wire) send(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	if err := w.Term.over(); err != nil {
		return middleware.DeserializeOutput{}, middleware.Metadata{}, err
	}
	return next.HandleDeserialize(ctx, in) //nolint:wrapcheck // the SDK's retries read the error as it is
}

// classify wraps an operation's error, after all its attempts, with its class.
func classify(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleInitialize(ctx, in)
	if err != nil {
		err = classed(err, middleware.GetServiceID(ctx), middleware.GetOperationName(ctx))
	}
	return out, meta, err
}

// attempt waits for the service's limiter, makes one attempt, and learns from its answer.
func (w Wire) attempt(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (middleware.FinalizeOutput, middleware.Metadata, error) {
	service, operation := middleware.GetServiceID(ctx), middleware.GetOperationName(ctx)
	limiter := w.Limits.of(service, operation)
	if err := limiter.admit(ctx); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	ctx, done, err := w.Term.bound(ctx)
	if err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	defer done()
	start := time.Now()
	out, meta, err := next.HandleFinalize(ctx, in)
	code := codeOf(err)
	TrialOf(ctx).note(operation, err)
	switch {
	case classOf(code) == fault.Throttled:
		limiter.Throttled()
	case code != NoAnswer:
		limiter.Answered()
	}
	if w.OnCall != nil {
		w.OnCall(service, operation, code, time.Since(start))
	}
	return out, meta, err //nolint:wrapcheck // the SDK's retries read the error as it is
}

// codeOf is AWS's code of an error, "" for nil.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return NoAnswer
}

func classed(err error, service, operation string) error {
	code := codeOf(err)
	return &fault.Error{Class: classOf(code), Code: code, Action: actionOf(service, operation), Err: &told{text: textOf(err), err: err}}
}

// told is an error in AWS's words, without the request ID: what users see again and again must read the same each time.
type told struct {
	text string
	err  error
}

func (t *told) Error() string { return t.text }

func (t *told) Unwrap() error { return t.err }

func textOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	if send, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return "AWS did not answer: " + send.Err.Error()
	}
	return err.Error()
}

// Bare is the classed error in err without the SDK's preamble, which names service and operation again.
func Bare(err error) error {
	if classed, ok := errors.AsType[*fault.Error](err); ok {
		return classed
	}
	return err
}

// patient is how often a refusal for the rate is answered by the pace alone. After that somebody else uses the account up.
const patient = 3

// Backoff is how long is waited before a call is made again. What AWS refused for its rate goes back to the pace at once, which knows when
// AWS takes it: to wait besides would only make targets late.
func Backoff() retry.BackoffDelayer {
	jitter := retry.NewExponentialJitterBackoff(retry.DefaultMaxBackoff)
	return retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
		if attempt <= patient && classOf(codeOf(err)) == fault.Throttled {
			return 0, nil
		}
		return jitter.BackoffDelay(attempt, err)
	})
}

// Once is a retryer for calls that create: AWS made the thing or refused it, and an answer that is lost is not asked for again blindly.
// Only a refusal for the rate, which has no effect, is tried again, as often as base would.
func Once(base aws.Retryer) aws.Retryer {
	return retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts, s.Backoff = base.MaxAttempts(), Backoff()
		s.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}
	})
}

// Unsure tells whether a call may have taken effect although it failed: it was not answered, or AWS failed inside.
func Unsure(err error) bool {
	if err == nil {
		return false
	}
	code := codeOf(err)
	if code == NoAnswer {
		return true
	}
	// The protocols do not say whose fault an error without a model is, but HTTP does.
	answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	return ok && answer.HTTPStatusCode() >= http.StatusInternalServerError && classOf(code) == fault.Unknown
}
