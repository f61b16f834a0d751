package contract

import (
	"context"
	"errors"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// answer is what a call through the SDK came to; the code is empty for success. The service is as the SDK calls it, as in "Route 53".
type answer struct{ service, operation, code string }

// seen is what the calls of the tests of this process came to, so that Main can say what they left out.
var seen = struct {
	sync.Mutex

	answers map[answer]bool
}{answers: map[answer]bool{}}

// Record makes the clients of the SDK note what their calls come to: it goes into the APIOptions of their configuration.
func Record(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("HeadgateRecord", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		note(answer{awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), ""}, err)
		return out, metadata, err
	}), middleware.After)
}

// note remembers an answer. An error that is none of AWS's never came from the simulator.
func note(a answer, err error) {
	api, ok := errors.AsType[smithy.APIError](err)
	if err != nil && !ok {
		return
	}
	if ok {
		a.code = api.ErrorCode()
	}
	seen.Lock()
	defer seen.Unlock()
	seen.answers[a] = true
}
