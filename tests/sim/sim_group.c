// The simulated Kafka's group, whose coordinator rebalances cooperatively, and its producer.
#include "tests/sim/sim_kafka.h"

static void rebalance(struct sim_process *s, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list)
{
    bool is_assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    s->rk->is_rebalancing = true;
    for (int i = 0; i < PARTITIONS && !s->rk->is_lost; i++) {
        s->rk->is_new[i] = is_assign && rd_kafka_topic_partition_list_find(list, SIM_TOPIC, i) != NULL;
    }
    for (int i = 0; i < list->cnt; i++) {
        s->rk->is_giving[list->elems[i].partition] = !is_assign;
        sim.partitions[list->elems[i].partition].forgotten_before =
            sim.partitions[list->elems[i].partition].forgotten;
        s->rk->is_assigned[list->elems[i].partition] = true;
    }
    sim_trace("rebalance: process %d %s %d partitions", s->number, is_assign ? "gets" : "gives", list->cnt);
    sim_kafka_push(s->rk->main, RD_KAFKA_EVENT_REBALANCE, code, list);
}

/** It learns that it was expelled. */
static void say_lost(struct sim_process *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        if (s->rk->is_assigned[i]) {
            rd_kafka_topic_partition_list_add(list, SIM_TOPIC, i);
        }
    }
    s->rk->is_expelled = false;
    s->rk->is_lost = true;
    rebalance(s, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, list);
}

static void end_rebalance(rd_kafka_t *rk)
{
    rk->is_rebalancing = rk->is_lost = false;
    if (rk->is_expelled) {
        say_lost(&sim.processes[rk->process]);
    }
}

rd_kafka_error_t *rd_kafka_incremental_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)list;
    end_rebalance(rk);
    return NULL;
}

rd_kafka_error_t *rd_kafka_incremental_unassign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)list;  // it may be empty: the partitions are read by other clients
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        if (rk->is_giving[i] && !rk->is_lost && p->owner == rk->process) {
            sim_hand_over(p, i);
            p->owner = -1;
            sim_trace("given back: partition %d", i);
        }
        rk->is_assigned[i] = rk->is_assigned[i] && !rk->is_giving[i];
        rk->is_giving[i] = false;
    }
    end_rebalance(rk);
    return NULL;
}

/** The partitions that the process gets, or is to give back; an owner of its own is set. */
static rd_kafka_topic_partition_list_t *list_of(const struct sim_process *s, bool is_assign)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        bool is_gained = p->owner < 0 && p->wanted == s->number;
        bool is_given = p->owner == s->number && p->wanted != s->number;
        if (is_assign ? is_gained : is_given) {
            rd_kafka_topic_partition_list_add(list, SIM_TOPIC, i);
            p->owner = s->number;
        }
    }
    return list;
}

void sim_kafka_coordinate(void)
{
    for (int i = 0; i < sim.process_count * 2; i++) {
        struct sim_process *s = &sim.processes[i / 2];
        if (!s->is_up || s->rk->is_rebalancing) {
            continue;
        }
        rd_kafka_topic_partition_list_t *list = list_of(s, i % 2 == 1);
        if (list->cnt > 0) {
            rebalance(
                s, i % 2 == 1 ? RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS : RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS,
                list);
        } else {
            rd_kafka_topic_partition_list_destroy(list);
        }
    }
}

static void expel(int process)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (sim.partitions[i].owner == process) {
            sim_forget(&sim.partitions[i], i);
            sim.partitions[i].forgotten++;
            sim.partitions[i].owner = -1;
        }
    }
}

bool sim_kafka_is_unaware(int process, int partition)
{
    const struct sim_process *s = &sim.processes[process];
    return s->is_up && s->rk->is_unaware && !(s->rk->could_know && s->rk->is_new[partition]);
}

void sim_kafka_lose(int process)
{
    struct sim_process *s = &sim.processes[process];
    if (!s->is_up || s->rk->is_lost || s->rk->is_expelled) {
        return;
    }
    sim_strike(SIM_LOST);
    expel(process);
    if (s->rk->is_rebalancing) {
        s->rk->is_expelled = s->rk->is_unaware = true;
        s->rk->is_lost = s->rk->could_know = sim_chance(2);  // librdkafka says so, or will
    } else {
        say_lost(s);
    }
}

void sim_kafka_produce(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        struct sim_partition *p = &sim.partitions[i];
        p->end += sim_roll(6);
        p->end = p->end > OFFSETS ? OFFSETS : p->end;
    }
    sim_kafka_signal_readers();
}
