/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "net/conn_priv.h"

/* Who has more to do than a turn allows waits in a line for the loop's next round, in which sockets, timers
 * and signals are looked at too. An event fed to its watcher would not do: libev takes the last one fed
 * first, and looks at nothing else until none is left. */

/* Each that waits now has one turn; who wants another stands at the end, for the next round. */
static void give_turns(struct loop_task *task)
{
    struct net *net = container_of(task, struct net, turn_task);
    net->turns_posted = false;
    for (size_t left = net->turn_count; left > 0 && net->turns != NULL; left--) {
        struct conn *c = net->turns;
        mox__conn_turn_leave(c);
        if (c->state == CONN_OPEN)
            mox__conn_drive(c);
    }
}

void mox__conn_turn_wait(struct conn *c)
{
    struct net *net = c->net;
    if (c->turn_at != NULL)
        return;
    c->next_turn = NULL;
    c->turn_at = net->turns_end;
    *net->turns_end = c;
    net->turns_end = &c->next_turn;
    net->turn_count++;
    if (!net->turns_posted)
        mox__loop_post(net->loop, &net->turn_task);
    net->turns_posted = true;
}

void mox__conn_turn_leave(struct conn *c)
{
    struct net *net = c->net;
    if (c->turn_at == NULL)
        return;
    *c->turn_at = c->next_turn;
    if (c->next_turn != NULL)
        c->next_turn->turn_at = c->turn_at;
    else
        net->turns_end = c->turn_at;
    c->turn_at = NULL;
    net->turn_count--;
}

void mox__conn_turns_init(struct net *net)
{
    net->turns_end = &net->turns;
    net->turn_task.run = give_turns;
}
