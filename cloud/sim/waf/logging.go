package waf

import (
	"regexp"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (f *Firewall) loggingOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("PutLoggingConfiguration", f.putLogging), wire.Reads("GetLoggingConfiguration", f.getLogging),
		wire.Writes("DeleteLoggingConfiguration", f.deleteLogging), wire.Reads("ListLoggingConfigurations", f.listLogging),
	}
}

// destination is where logs can go: a bucket, a log group or a delivery stream, each with a name that begins with aws-waf-logs- (WAF developer
// guide, "Logging destinations").
var destination = regexp.MustCompile(
	`^arn:[\w-]+:(s3:::aws-waf-logs-|logs:[\w-]+:\d+:log-group:aws-waf-logs-|firehose:[\w-]+:\d+:deliverystream/aws-waf-logs-)[\w.\-/:*]+$`)

// checkLogging checks where logs are to go. Nothing is written there, and whether it exists is not looked at.
func (f *Firewall) checkLogging(c *waftypes.LoggingConfiguration) error {
	if c == nil {
		return invalid("A logging configuration must be given., field: LOGGING_CONFIGURATION")
	}
	if _, err := f.namedACL(c.ResourceArn); err != nil {
		return err
	}
	if len(c.LogDestinationConfigs) != 1 || !destination.MatchString(c.LogDestinationConfigs[0]) {
		return invalid("The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., "+
			"field: LOG_DESTINATION, parameter: %s", strings.Join(c.LogDestinationConfigs, " "))
	}
	return checkRedacted(c.RedactedFields)
}

// checkRedacted refuses parts of a request that logs always show.
func checkRedacted(all []waftypes.FieldToMatch) error {
	for i := range all {
		one := &all[i]
		if one.UriPath == nil && one.QueryString == nil && one.SingleHeader == nil && one.Method == nil {
			return invalid("Only the path, the query, a header and the method can be redacted., field: LOGGING_CONFIGURATION")
		}
	}
	return nil
}

func (f *Firewall) putLogging(in *sdk.PutLoggingConfigurationInput) (*sdk.PutLoggingConfigurationOutput, error) {
	if err := f.checkLogging(in.LoggingConfiguration); err != nil {
		return nil, err
	}
	c := *in.LoggingConfiguration
	if c.LogScope == "" {
		c.LogScope = waftypes.LogScopeCustomer
	}
	if c.LogType == "" {
		c.LogType = waftypes.LogTypeWafLogs
	}
	f.logging[*c.ResourceArn] = c
	return &sdk.PutLoggingConfigurationOutput{LoggingConfiguration: &c}, nil
}

// logged gives the configuration of a web ACL.
func (f *Firewall) logged(arn *string) (*waftypes.LoggingConfiguration, error) {
	if _, err := f.namedACL(arn); err != nil {
		return nil, err
	}
	c, ok := f.logging[*arn]
	if !ok {
		return nil, nonexistent()
	}
	return &c, nil
}

func (f *Firewall) getLogging(in *sdk.GetLoggingConfigurationInput) (*sdk.GetLoggingConfigurationOutput, error) {
	c, err := f.logged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.GetLoggingConfigurationOutput{LoggingConfiguration: c}, nil
}

func (f *Firewall) deleteLogging(in *sdk.DeleteLoggingConfigurationInput) (*sdk.DeleteLoggingConfigurationOutput, error) {
	if _, err := f.logged(in.ResourceArn); err != nil {
		return nil, err
	}
	delete(f.logging, *in.ResourceArn)
	return &sdk.DeleteLoggingConfigurationOutput{}, nil
}

func (f *Firewall) listLogging(in *sdk.ListLoggingConfigurationsInput) (*sdk.ListLoggingConfigurationsOutput, error) {
	acls, next, err := list(f, &f.acls, in.Scope, in.Limit, in.NextMarker)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListLoggingConfigurationsOutput{NextMarker: next, LoggingConfigurations: []waftypes.LoggingConfiguration{}}
	for _, a := range acls {
		if c, ok := f.logging[a.arn]; ok && (in.LogScope == "" || c.LogScope == in.LogScope) {
			out.LoggingConfigurations = append(out.LoggingConfigurations, c)
		}
	}
	return out, nil
}
