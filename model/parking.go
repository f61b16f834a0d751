package model

import "slices"

// ParkingPath is the path pattern of a rule that no request can match: every path begins with a slash.
const ParkingPath = "headgate-parked"

// Parking is a rule that no request can match and that forwards to a target group. AWS checks the health of targets only where some
// listener or rule forwards to their group: so a group is checked before it is used (ELBv2 API, TargetHealth: Target.NotInUse).
func Parking(o Owner, g WeightedGroup) Rule {
	g.Weight = 1
	return Rule{
		Conditions: []Condition{{Field: FieldPath, Values: []string{ParkingPath}}},
		Actions:    []Action{{Type: ActionForward, Forward: &Forward{Groups: []WeightedGroup{g}}}},
		Tags:       o.Tags(ParkingID(g.Key)),
	}
}

// ParkingID is the resource ID of the rule that parks a target group, by that of the group.
func ParkingID(group string) string { return "parked:" + group }

// IsParking tells whether a rule parks a target group.
func IsParking(r Rule) bool {
	return len(r.Conditions) == 1 && r.Conditions[0].Field == FieldPath && slices.Equal(r.Conditions[0].Values, []string{ParkingPath}) &&
		len(r.Actions) == 1 && r.Actions[0].Forward != nil
}

// Park takes the rules that park a target group out of those that answer requests.
func (l *Listener) Park() {
	for i, r := range l.Rules {
		if IsParking(r) {
			l.Parked = append(slices.Clip(l.Parked), r)
			l.Rules = slices.Delete(slices.Clone(l.Rules), i, i+1)
			l.Park()
			return
		}
	}
}
