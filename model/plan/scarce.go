package plan

import "github.com/headgate/headgate/model"

func (p *planner) scarce(edits []*edit, gone []model.Listener) bool { return false }
func (p *planner) editScarce(edits []*edit)                         {}
