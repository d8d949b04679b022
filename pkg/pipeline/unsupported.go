package pipeline

import (
	"errors"
	"strings"

	"sealreel/pkg/document"
	"sealreel/pkg/job"
)

// Unsupported says what a valid pipeline asks for and this version can't do:
// nil or a *document.ValidationError with every such member, those of the drop
// template included. A feature that is added takes its line away here.
func Unsupported(p *Pipeline) error {
	problems := &document.Problems{}
	unsupportedTopics(problems, p.Notifications)
	if p.Sealreel != nil && p.Sealreel.Drop != nil {
		unsupportedDrop(problems, p)
	}
	return problems.Err()
}

func unsupportedTopics(problems *document.Problems, n *Notifications) {
	if n == nil {
		return
	}
	for _, topic := range []struct{ name, arn string }{
		{"progressing", n.Progressing}, {"completed", n.Completed}, {"warning", n.Warning}, {"error", n.Error},
	} {
		if strings.HasSuffix(topic.arn, ".fifo") {
			problems.NotYet("notifications."+topic.name, topic.arn, "topics of first-in-first-out")
		}
	}
}

// unsupportedDrop looks at the job that the template makes of a sample.
func unsupportedDrop(problems *document.Problems, p *Pipeline) {
	const where = "sealreel.drop.template"
	req, err := p.DropRequest(samples[0])
	if err == nil {
		err = job.Unsupported(req)
	}
	var invalid *document.ValidationError
	switch {
	case errors.As(err, &invalid):
		problems.AddAll(where, invalid.Problems)
	case err != nil:
		problems.Addf(where, "'%s': %v", where, err)
	}
}
