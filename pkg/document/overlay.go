package document

import (
	"encoding/json"
	"slices"
)

// Overlay is the object with the members of a change over its own, as the API's
// updates take them, for whoever reads it to judge: a member that the change
// leaves out or has null stays as it is; "" or [] takes it away; the members of
// an object are laid over those that are there, and theirs replaced whole. A
// member that the change has twice is there twice. Members that are excepted
// stay whatever the change has.
func (o *Object) Overlay(change *Object, except ...string) json.RawMessage {
	return overlay(o.node, change.node, 1, except).appendJSON(nil)
}

func overlay(base, change *node, deeper int, except []string) *node {
	laid := &node{kind: object, names: slices.Clone(base.names), children: slices.Clone(base.children)}
	replaced := map[string]bool{}
	for i, name := range change.names {
		child := change.children[i]
		if child.kind == null || slices.Contains(except, name) {
			continue
		}
		at := slices.Index(laid.names, name)
		if at >= 0 && !replaced[name] {
			if deeper > 0 && child.kind == object && laid.children[at].kind == object {
				child = overlay(laid.children[at], child, deeper-1, nil)
			}
			laid.names, laid.children = slices.Delete(laid.names, at, at+1), slices.Delete(laid.children, at, at+1)
		}
		replaced[name] = true
		if !child.removes() {
			laid.names, laid.children = append(laid.names, name), append(laid.children, child)
		}
	}
	return laid
}

// removes says whether the value, in a change, stands for none.
func (n *node) removes() bool {
	return n.kind == scalar && n.quoted && n.text == "" || n.kind == list && len(n.children) == 0
}
