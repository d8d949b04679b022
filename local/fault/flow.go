package fault

import "time"

// Sent is asked when a message was sent to a queue: how much later than it
// would it arrives, and whether it is lost.
func (e *Engine) Sent(queue, body, accessKeyID string) (delay time.Duration, lost bool) {
	c, _ := e.arrive(Call{Service: Message, Operation: "Send", Resource: queue, Event: body, AccessKeyID: accessKeyID})
	then := e.decide(c, func(t Then) bool { return t.Copies == 0 })
	e.end(c, 0)
	if then == nil {
		return 0, false
	}
	return time.Duration(then.Delay), then.Lost
}

// Received is asked when a function got a message for the nth time: whether it
// is received once more at the same time.
func (e *Engine) Received(queue, body string, n int) (again bool) {
	c, _ := e.arrive(Call{Service: Message, Operation: "Receive", Resource: queue, Event: body, Caller: "lambda"})
	then := e.decide(c, func(t Then) bool { return t.Copies >= n })
	e.end(c, 0)
	return then != nil
}

// Deliveries is asked what becomes of an event or a firing that would be
// delivered after each of the delays.
func (e *Engine) Deliveries(service, operation, resource, accessKeyID string, delays []time.Duration) []time.Duration {
	call := Call{Service: service, Operation: operation, Resource: resource, AccessKeyID: accessKeyID}
	if service == Schedule {
		call.Caller = "lambda"
	}
	c, _ := e.arrive(call)
	then := e.decide(c, nil)
	e.end(c, 0)
	if then == nil {
		return delays
	}
	if then.Lost {
		return nil
	}
	var all []time.Duration
	for _, d := range delays {
		all = append(all, d+time.Duration(then.Delay))
	}
	for range then.Copies {
		all = append(all, delays...)
	}
	return all
}

// Invoked is asked when an environment begins an invocation; nil disturbs
// nothing. A delay of the answer is how far into the invocation a kill happens.
func (e *Engine) Invoked(function, requestID, payload string) *Then {
	c, _ := e.arrive(Call{Service: Lambda, Operation: "Invoke", Caller: "lambda", Resource: function, Invocation: requestID, Event: payload})
	then := e.decide(c, nil)
	e.end(c, 0)
	return then
}

func (e *Engine) end(c Call, status int) {
	c.Done, c.Status = true, status
	e.tell(c)
}
