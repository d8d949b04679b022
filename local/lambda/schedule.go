package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Schedule invokes a function at a fixed rate, the first time one rate after
// it was added.
type Schedule struct {
	Name     string // of the rule, unique among the host's schedules
	Function string // id, name or ARN
	Rate     time.Duration
	Input    string // constant JSON input, or "" for EventBridge's event
}

// schedule is a Schedule that the host keeps.
type schedule struct {
	Schedule
	host *Host
}

// AddSchedule starts a schedule.
func (h *Host) AddSchedule(s Schedule) error {
	if _, err := h.function(s.Function); err != nil {
		return err
	}
	if s.Name == "" || s.Rate <= 0 {
		return fmt.Errorf("lambda: a schedule of %s needs a name and a rate", s.Function)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.schedules[s.Name] != nil {
		return fmt.Errorf("lambda: there is a schedule %s already", s.Name)
	}
	kept := &schedule{Schedule: s, host: h}
	if !h.spawnLocked(func() { kept.run(h.ctx) }) {
		return ErrClosed
	}
	h.schedules[s.Name] = kept
	return nil
}

// Trigger fires a schedule now and returns the request id.
func (h *Host) Trigger(name string) (requestID string, err error) {
	h.mu.Lock()
	s := h.schedules[name]
	h.mu.Unlock()
	if s == nil {
		return "", fmt.Errorf("lambda: there is no schedule %q", name)
	}
	return s.fire()
}

func (s *schedule) run(ctx context.Context) {
	ticker := time.NewTicker(s.Rate)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if _, err := s.fire(); err != nil && ctx.Err() == nil {
				if f, fault := s.host.function(s.Function); fault == nil {
					f.log.line(fmt.Sprintf("schedule %s: %v", s.Name, err))
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

func (s *schedule) fire() (string, error) {
	payload := []byte(s.Input)
	if s.Input == "" {
		payload = scheduledEvent(s.host.config, s.Name, time.Now())
	}
	delays := []time.Duration{0}
	if s.host.config.Firings != nil {
		delays = s.host.config.Firings(s.Name, s.Function)
	}
	var id string
	for _, delay := range delays {
		var err error
		if id, err = s.host.invokeAfter(s.Function, payload, delay); err != nil {
			return "", err
		}
	}
	return id, nil
}

// scheduledEvent returns EventBridge's event of a scheduled rule.
func scheduledEvent(c Config, rule string, now time.Time) []byte {
	payload, err := json.Marshal(map[string]any{
		"version":     "0",
		"id":          newID(),
		"detail-type": "Scheduled Event",
		"source":      "aws.events",
		"account":     c.Account,
		"time":        now.UTC().Format(time.RFC3339),
		"region":      c.Region,
		"resources":   []string{"arn:aws:events:" + c.Region + ":" + c.Account + ":rule/" + rule},
		"detail":      map[string]any{},
	})
	if err != nil {
		panic("lambda: a scheduled event that is no JSON: " + err.Error())
	}
	return payload
}
