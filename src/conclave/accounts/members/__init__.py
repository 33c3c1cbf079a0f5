"""Who belongs here, as the operator sees it: invitations, roles, suspension, removal, the way back.

Must never show or change a member's credentials, sessions or vault; suspension and removal end
them as a whole.
"""
