#include "connectors/transaction_records.h"

enum publisher_step transaction_records_begin(struct transaction_records *t, const struct change *first,
                                              struct fault *f)
{
    if (plan_sender_is_stopped(t->sender, t->topic->topic)) {
        return PUBLISHER_TAKEN;
    }
    if (plan_sender_is_busy(t->sender)) {
        return plan_sender_send(t->sender, t->topic, f);
    }
    change_planner_plan_begin(topic_routes_find(t->routes, t->topic), first, &t->sender->plan);
    return plan_sender_send_or_hold(t->sender, t->topic, f);
}

enum publisher_step transaction_records_end(struct transaction_records *t, const struct change *commit,
                                            struct fault *f)
{
    if (plan_sender_is_stopped(t->sender, t->topic->topic)) {
        return PUBLISHER_TAKEN;
    }
    if (plan_sender_is_busy(t->sender)) {
        return plan_sender_send(t->sender, t->topic, f);
    }
    const struct topic_route *route = topic_routes_find(t->routes, t->topic);
    change_planner_plan_end(t->planner, route, t->counts, commit, &t->sender->plan);
    return plan_sender_send_or_hold(t->sender, t->topic, f);
}

void transaction_records_clear(struct transaction_records *t)
{
    table_free(TAKE(t->topic));
}
