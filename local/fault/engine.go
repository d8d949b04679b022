package fault

import (
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Engine disturbs by its rules. It can be used by many goroutines.
type Engine struct {
	log    *slog.Logger
	caller func(accessKeyID string) string

	mu           sync.Mutex
	plan, added  []*active
	seed         uint64
	calls        uint64
	fired        []Fired
	hooks        map[int]func(Call)
	hooked       int
	environments map[string]Environment // by access key id
	secrets      map[string]string      // likewise
}

// active is a rule with what it has seen.
type active struct {
	Rule
	matched, fired int
	chance         *rand.Rand
}

// New returns an engine without rules. caller names who has an access key id, as
// rules do; log, which may be nil, is told of what fires.
func New(caller func(accessKeyID string) string, log *slog.Logger) *Engine {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{log: log, caller: caller, hooks: map[int]func(Call){}, environments: map[string]Environment{}, secrets: map[string]string{}}
}

// Set replaces all rules of the plan before. Those that were added stay.
func (e *Engine) Set(p Plan) error {
	if err := p.Check(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seed, e.plan = p.Seed, nil
	for _, r := range p.Rules {
		e.plan = append(e.plan, e.start(r))
	}
	return nil
}

// Add adds rules behind all others until remove is called.
func (e *Engine) Add(rules ...Rule) (remove func(), err error) {
	if err := (Plan{Rules: rules}).Check(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var mine []*active
	for _, r := range rules {
		mine = append(mine, e.start(r))
	}
	e.added = append(e.added, mine...)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.added = slices.DeleteFunc(e.added, func(a *active) bool { return slices.Contains(mine, a) })
	}, nil
}

func (e *Engine) start(r Rule) *active {
	name := fnv.New64a()
	name.Write([]byte(r.Name))
	return &active{Rule: r, chance: rand.New(rand.NewPCG(e.seed, name.Sum64()))}
}

// Fired returns what fired since the engine was made, in order.
func (e *Engine) Fired() []Fired {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.fired)
}

// OnCall has f called before each call and, with Done, after it. f is called
// from many goroutines; the call waits for it.
func (e *Engine) OnCall(f func(Call)) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hooked++
	id := e.hooked
	e.hooks[id] = f
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.hooks, id)
	}
}

// tell tells the hooks of a call.
func (e *Engine) tell(c Call) {
	e.mu.Lock()
	hooks := slices.Collect(maps.Values(e.hooks))
	e.mu.Unlock()
	for _, f := range hooks {
		f(c)
	}
}

// Enter lets the calls of an access key be those of an environment.
func (e *Engine) Enter(accessKeyID, secret string, of Environment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.environments[accessKeyID], e.secrets[accessKeyID] = of, secret
}

// Know makes an access key known. Its calls belong to the environment of the key
// by which it was got, if that has one.
func (e *Engine) Know(accessKeyID, secret, by string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secrets[accessKeyID] = secret
	if of := e.environments[by]; of != nil {
		e.environments[accessKeyID] = of
	}
}

// Leave forgets an environment with all keys that belong to it.
func (e *Engine) Leave(of Environment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, other := range e.environments {
		if other == of {
			delete(e.environments, id)
			delete(e.secrets, id)
		}
	}
}

// arrive numbers a call and finds out who calls. The hooks hear of it.
func (e *Engine) arrive(c Call) (Call, Environment) {
	e.mu.Lock()
	e.calls++
	c.Number = e.calls
	of := e.environments[c.AccessKeyID]
	e.mu.Unlock()
	if of != nil {
		c.Caller, c.Environment = of.Function(), of.ID()
		request, payload := of.Work()
		if c.Invocation = request; c.Event == "" {
			c.Event = string(payload)
		}
	} else if c.Caller == "" {
		c.Caller = e.caller(c.AccessKeyID)
	}
	e.tell(c)
	return c, of
}

// decide returns what happens to a call: what the first rule that fires says.
// Every rule that matches counts it.
func (e *Engine) decide(c Call, about func(Then) bool) *Then {
	e.mu.Lock()
	defer e.mu.Unlock()
	var hit *Then
	for _, a := range slices.Concat(e.plan, e.added) {
		if !a.When.matches(c) || about != nil && !about(a.Then) {
			continue
		}
		a.matched++
		if hit != nil || a.matched <= a.When.After || a.When.Times > 0 && a.fired >= a.When.Times ||
			a.When.Chance > 0 && a.chance.Float64() >= a.When.Chance {
			continue
		}
		a.fired++
		then := a.Then
		if then.Jitter > 0 {
			then.Delay += Duration(a.chance.Int64N(int64(then.Jitter)))
		}
		hit = &then
		e.fired = append(e.fired, Fired{Rule: a.Name, Call: c, Time: time.Now()})
		e.log.Warn("a fault fires", "rule", a.Name, "service", c.Service, "operation", c.Operation, "caller", c.Caller,
			"resource", c.Resource, "environment", c.Environment, "invocation", c.Invocation)
	}
	return hit
}

func (w When) matches(c Call) bool {
	return w.Service == c.Service && fits(w.Operation, c.Operation) && fits(w.Caller, c.Caller) && fits(w.Resource, c.Resource) &&
		fits(w.Event, c.Event) && (w.Match == nil || w.Match(c))
}
