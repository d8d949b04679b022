// Package cloudwatch is an embedded Amazon CloudWatch: metrics in minutes, the
// alarms that look at them, and as much of its API as shows and sets these.
//
// Metrics come from log lines in the embedded metric format, which are read
// strictly, and from the embedded services, which tell what AWS's own tell of
// themselves. Alarms are evaluated at the end of each minute as AWS does it: over
// sliding windows of whole minutes, M out of N, with missing data treated as
// each asks, metric math, and composite alarms. An alarm that changes its state
// publishes AWS's message to the topics of its actions.
//
// Its clock can be moved ahead (Advance). The minutes in between are lived
// through one by one: gauges are sampled and alarms evaluated in each. What
// comes later is of that later time.
//
// It differs from CloudWatch where that is of no use to a single machine: data are
// kept for a day and not across a restart, periods are of whole minutes, and
// queues are never inactive. What an alarm asks for and this package lacks is
// refused when it is made.
package cloudwatch
