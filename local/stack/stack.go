// Package stack deploys a project's template.yaml onto the embedded AWS:
// S3, SQS, SNS, KMS, STS, Lambda and CloudWatch in one process, with everything the
// template asks for and nothing else.
//
// What a function may do is what the template's roles and the policies of its
// keys, buckets and queues say: each request is authorized before it is
// served, and so is what Lambda does in a role's name. Whoever runs the stack
// may do all that no policy denies.
//
// It guarantees that all state lies in one folder and survives a restart,
// the messages, events and functions in work included: names, ids, keys and
// queue URLs stay the same, and so do the ports as long as they are free.
// One process at a time can have the folder.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sealreel/local/cloudwatch"
	"sealreel/local/fault"
	"sealreel/local/lambda"
	"sealreel/local/template"
)

// Config says what to deploy and where.
type Config struct {
	Root string // checkout with template.yaml and functions/
	Dir  string // state; made if missing

	StackName  string            // default sealreel
	Parameters map[string]string // overrides of the template's parameters
	Roles      []Role            // beside those of the template
	// Workers is how many batches a queue's function works on at once; 0
	// leaves what the template says.
	Workers int
	// Environment overrides variables of every function.
	Environment map[string]string
	// Lambda changes how functions are run; its Dir, Region, Account,
	// Destination and Authorize are set by Up.
	Lambda lambda.Config

	// Faults, when set, has everything go through a fault engine that begins with
	// this plan; nil has none, and SetFaults and AddFaults fail.
	Faults *fault.Plan

	OnAlarm   func(cloudwatch.Change) // hears of every change of an alarm's state; must be quick
	Progress  func(string)            // hears what Up is doing, for a person to read
	OnRequest func(Request)           // hears of every request; must be quick
	Log       *slog.Logger            // what goes wrong inside; nil drops it
}

// Region and Account are those of everything in a stack.
const (
	Region  = "us-east-1"
	Account = "111122223333"
)

// Stack is a running deployment.
type Stack struct {
	config   Config
	state    *state
	template *template.Template
	services *services
	watch    *cloudwatch.Server
	unwatch  func() // ends what watches; nil before
	host     *lambda.Host
	requests counter
	count    func(Request)
	exports  map[string]string
	programs programs
	lock     *os.File
	faults   *fault.Engine // nil without Config.Faults

	mu      sync.Mutex
	envFile string // written by WriteEnv, removed by Close
}

// Up builds the functions of config.Root and deploys its template. It
// returns when everything is ready.
func Up(ctx context.Context, config Config) (*Stack, error) {
	config.fill()
	s := &Stack{config: config}
	if err := s.up(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c *Config) fill() {
	if c.StackName == "" {
		c.StackName = "sealreel"
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func (s *Stack) up(ctx context.Context) (err error) {
	root, dir := &s.config.Root, &s.config.Dir
	for _, path := range []*string{root, dir} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("stack: find the folders: %w", err)
		}
	}
	if s.lock, err = lockDir(*dir); err != nil {
		return err
	}
	if err := os.Remove(s.defaultEnv()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stack: remove the variables of an earlier run: %w", err)
	}
	if s.state, err = openState(filepath.Join(*dir, "state.json")); err != nil {
		return err
	}
	if s.programs, err = findPrograms(s.config.Environment); err != nil {
		return err
	}
	draft, err := s.readTemplate(nil) // finds faults before anything is built
	if err != nil {
		return err
	}
	if err := s.build(ctx, draft.Functions); err != nil {
		return err
	}
	if err := s.openFaults(); err != nil {
		return err
	}
	s.config.Progress("starting S3, SQS, SNS, KMS, STS and CloudWatch")
	s.count = s.requests.count(s.config.OnRequest)
	if s.services, err = openServices(ctx, s.config, s.state, s.faults, s.count); err != nil {
		return err
	}
	if s.template, err = s.provision(draft); err != nil {
		return err
	}
	if err := s.addRoles(); err != nil {
		return err
	}
	if err := s.watchOver(); err != nil {
		return err
	}
	s.requests.reset() // making a stack costs requests that no job is to blame for
	s.config.Progress("deploying the functions")
	if err := s.deploy(); err != nil {
		return err
	}
	s.exports = s.variables()
	return nil
}

// readTemplate reads the template; keyIDs holds the ids of its keys by
// their logical ids, and is nil as long as they aren't known.
func (s *Stack) readTemplate(keyIDs map[string]string) (*template.Template, error) {
	options := template.Options{StackName: s.config.StackName, Region: Region, Account: Account, Parameters: s.config.Parameters}
	if keyIDs != nil {
		options.QueueURL = s.services.queueURL
		options.KeyID = func(logicalID string) (string, error) { return keyIDs[logicalID], nil }
	}
	return template.ReadFile(filepath.Join(s.config.Root, "template.yaml"), options)
}

// Template returns what was deployed.
func (s *Stack) Template() *template.Template { return s.template }

// Invoke runs a function by its logical id and returns its result.
func (s *Stack) Invoke(ctx context.Context, logicalID string, payload []byte) (lambda.Result, error) {
	return s.host.Invoke(ctx, logicalID, payload)
}

// Trigger fires a schedule now, by the logical ids of its function and its
// event, as in ReconcileFunction, Tick.
func (s *Stack) Trigger(function, event string) (requestID string, err error) {
	return s.host.Trigger(s.ruleName(function, event))
}

// Cool ends the environments of a function, by its logical id, that wait for work.
func (s *Stack) Cool(function string) error { return s.host.Cool(function) }

// Elapse lets time pass for the hidden messages of a queue, by its logical id: its
// visibility timeouts and delays are over as much sooner.
func (s *Stack) Elapse(queueID string, d time.Duration) error {
	for _, q := range s.template.Queues {
		if q.ID == queueID {
			return s.services.queues.Elapse(q.Name, d)
		}
	}
	return fmt.Errorf("stack: the template has no queue %s", queueID)
}

// Close stops everything and frees the folder. It is no error to call it on
// a stack that came up only in part.
func (s *Stack) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.unwatch != nil {
		s.unwatch()
		s.unwatch = nil
	}
	if s.envFile != "" {
		errs = append(errs, os.Remove(s.envFile))
		s.envFile = ""
	}
	if s.host != nil {
		errs = append(errs, s.host.Close())
	}
	if s.services != nil {
		s.services.release() // a writer may wait to hand over an event
		errs = append(errs, s.services.close())
		s.services = nil
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close()) // which unlocks it
		s.lock = nil
	}
	return errors.Join(errs...)
}
