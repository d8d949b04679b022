package sqs

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"sealreel/local/iam"
	"sealreel/local/internal/awsjson"
	"sealreel/local/internal/gate"
)

// admit notes the queue of a call, empty for ListQueues, and asks the gate
// whether the caller may. A batch needs the permission of the single action.
func (s *Server) admit(call *awsjson.Call, queue string) error {
	call.Resource = queue
	if s.config.Gate == nil {
		return nil
	}
	s.mu.Lock()
	var policy *iam.Policy
	if q := s.queues[queue]; q != nil {
		policy = q.settings.policy
	}
	s.mu.Unlock()
	return refused(call.Admit(s.config.Gate, gate.Attempt{
		Action: "sqs:" + strings.TrimSuffix(call.Action, "Batch"), Resource: s.ARN(queue), Kind: iam.AnyResource, Policy: policy,
	}))
}

// refused is how SQS words a refusal: with the action in lower case.
func refused(err error) error {
	var refusal *gate.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	lower := *refusal
	lower.Action = strings.ToLower(refusal.Action)
	lower.Reason = strings.ReplaceAll(refusal.Reason, refusal.Action, lower.Action)
	return &awsjson.Error{Status: http.StatusForbidden, Type: framework + "AccessDeniedException", QueryCode: "AccessDenied", Message: lower.Error()}
}

// SendFor puts a message on a queue in the name of a service itself, such as
// sns.amazonaws.com, which acts for the resource with the ARN source, such as a
// topic. Only the queue's policy can let it.
func (s *Server) SendFor(service, source, queue string, in SendInput) (Sent, error) {
	call := &awsjson.Call{Action: "SendMessage", Resource: queue, Secure: true}
	err := s.admitService(call, service, source)
	var sent Sent
	if err == nil {
		sent, err = s.send(queue, service, in)
	}
	s.report(call, service, statusOf(err))
	return sent, err
}

func (s *Server) admitService(call *awsjson.Call, service, source string) error {
	if s.config.Gate == nil {
		return nil
	}
	s.mu.Lock()
	q, err := s.find(call.Resource)
	var policy *iam.Policy
	if err == nil {
		policy = q.settings.policy
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	call.Who = iam.Principal{Service: service}
	d := iam.Evaluate(iam.Request{Principal: call.Who, Action: "sqs:SendMessage", Resource: s.ARN(call.Resource), Context: map[string][]string{
		"aws:SourceArn": {source}, "aws:SourceAccount": {s.config.Account}, "aws:SecureTransport": {"true"}}}, policy, iam.AnyResource)
	call.By, call.Denied = d.By, !d.Allowed
	if d.Allowed {
		return nil
	}
	return refused(&gate.Refusal{User: service, Action: "sqs:SendMessage", Resource: s.ARN(call.Resource), Reason: d.Reason})
}

// Agent is a service that uses queues in a caller's name, as Lambda polls a
// queue in the name of a function's role.
type Agent struct {
	server  *Server
	service string
	caller  gate.Caller
}

// Agent returns an Agent for a service, such as lambda.amazonaws.com.
func (s *Server) Agent(service, accessKeyID string) Agent {
	return Agent{s, service, gate.Caller{AccessKeyID: accessKeyID}}
}

// do asks the gate, does it and reports it.
func (a Agent) do(action, queue string, do func() error) error {
	call := &awsjson.Call{Action: action, AccessKeyID: a.caller.AccessKeyID, SessionToken: a.caller.SessionToken, Secure: true}
	err := a.server.admit(call, queue)
	if err == nil {
		err = do()
	}
	a.server.report(call, a.service, statusOf(err))
	return err
}

// Receive is Server.Receive in the caller's name.
func (a Agent) Receive(ctx context.Context, queue string, opt ReceiveOptions) (messages []Message, err error) {
	err = a.do("ReceiveMessage", queue, func() error {
		messages, err = a.server.receive(ctx, queue, opt)
		return err
	})
	return messages, err
}

// Delete is Server.Delete in the caller's name.
func (a Agent) Delete(queue, receiptHandle string) error {
	return a.do("DeleteMessage", queue, func() error { return a.server.deleteOne(queue, receiptHandle) })
}

// Attributes is Server.Attributes in the caller's name.
func (a Agent) Attributes(queue string) (all map[string]string, err error) {
	err = a.do("GetQueueAttributes", queue, func() error {
		all, err = a.server.attributes(queue)
		return err
	})
	return all, err
}

// Send is Server.Send in the caller's name.
func (a Agent) Send(queue string, in SendInput) (sent Sent, err error) {
	err = a.do("SendMessage", queue, func() error {
		sent, err = a.server.send(queue, a.server.config.Account, in)
		return err
	})
	return sent, err
}
