package template

// Topic is an AWS::SNS::Topic. It has no subscriptions: who listens is no
// business of the template.
type Topic struct {
	ID   string
	Name string
	ARN  string
}

func (r *resolver) readTopic(d *reader, id, name string, v *Value) Topic {
	d.only(v, "TopicName", "DisplayName", "Tags")
	return Topic{ID: id, Name: name, ARN: r.attributeOf("AWS::SNS::Topic", name, "Ref")}
}
