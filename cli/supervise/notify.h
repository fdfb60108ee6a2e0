// Tells systemd how a service fares; nothing happens when nobody asked (NOTIFY_SOCKET) or without libsystemd.
#ifndef CLI_SUPERVISE_NOTIFY_H
#define CLI_SUPERVISE_NOTIFY_H

/** "READY=1", "STOPPING=1": see sd_notify(3). */
void notify_send(const char *state);

#endif
