/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Telling systemd how a service is: lines such as "READY=1" to the datagram socket that NOTIFY_SOCKET names (sd_notify(3)), without its
 * library. Where nobody asked, nothing happens.
 *
 * Threads: any.
 */
#ifndef EBB_AGENT_NOTIFY_H
#define EBB_AGENT_NOTIFY_H

#include <stdint.h>

/* Send @text, lines "NAME=VALUE". Nobody learns whether it arrived, as with sd_notify. */
void ebb_notify_send(const char *text);

/* How often WATCHDOG=1 must be sent, ns; 0: nobody waits for it. That is half of what WATCHDOG_USEC says. */
int64_t ebb_notify_watchdog(void);

#endif
