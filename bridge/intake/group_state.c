#include "bridge/intake/group_state.h"

#include "core/base/memory.h"

#define BIT(name) (1u << GROUP_##name)

static const unsigned MAY_FOLLOW[] = {
    [GROUP_JOINING] = BIT(LOOKING_UP) | BIT(DROPPING) | BIT(LEAVING),
    [GROUP_LOOKING_UP] = BIT(LOOKUP_FAILED) | BIT(MEMBER),
    [GROUP_LOOKUP_FAILED] = BIT(LOOKING_UP) | BIT(MEMBER),
    [GROUP_MEMBER] = BIT(LOOKING_UP) | BIT(UNSUBSCRIBING) | BIT(DROPPING) | BIT(LEAVING),
    [GROUP_UNSUBSCRIBING] = BIT(LOOKING_UP) | BIT(DROPPING) | BIT(LEAVING),
    [GROUP_DROPPING] = BIT(REVOKING) | BIT(MEMBER),
    [GROUP_REVOKING] = BIT(COMMITTING) | BIT(MEMBER),
    [GROUP_COMMITTING] = BIT(MEMBER),
    [GROUP_LEAVING] = 0,
};

void group_state_enter(enum group_state *state, enum group_state to)
{
    INVARIANT((MAY_FOLLOW[*state] & (1u << to)) != 0);
    *state = to;
}
