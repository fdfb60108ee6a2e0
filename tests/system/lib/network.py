"""
A process on the other side of a network that can be cut: packets are dropped on the way, and no end is told.

Two namespaces without names, one that forwards and one for the process, are held by a process each and vanish with it.
"""

import os
import subprocess

from lib import processes
from lib.waiting import wait_until


class NotPossible(Exception):
    """Why this machine makes no network namespaces."""


class Network:
    """`hosts` are two addresses of this machine that the far side reaches; `far` is its own."""

    def __init__(self):
        net = f"198.18.{os.getpid() % 250 + 1}"
        self.hosts = (f"{net}.1", f"{net}.2")
        self.far = f"{net}.10"
        probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True)
        if probe.returncode != 0:
            raise NotPossible(probe.stderr.strip())
        self.holders = []
        self.middle = self._namespace()
        self.end = self._namespace()
        near, inner = f"mr{self.middle.pid}", f"mi{self.middle.pid}"
        self._run("ip", "link", "add", near, "type", "veth", "peer", "name", "near", "netns", str(self.middle.pid))
        for address in self.hosts:
            self._run("ip", "address", "add", f"{address}/29", "dev", near)
        self._run("ip", "link", "set", near, "up")
        self._inside(self.middle, "ip", "address", "add", f"{net}.6/29", "dev", "near")
        self._inside(self.middle, "ip", "link", "set", "near", "up")
        self._run("ip", "route", "add", f"{net}.8/29", "via", f"{net}.6")
        link = ("ip", "link", "add", inner, "type", "veth", "peer", "name", "far", "netns", str(self.end.pid))
        self._inside(self.middle, *link)
        self._inside(self.middle, "ip", "address", "add", f"{net}.9/29", "dev", inner)
        self._inside(self.middle, "ip", "link", "set", inner, "up")
        self._inside(self.end, "ip", "address", "add", f"{self.far}/29", "dev", "far")
        for device in ("lo", "far"):
            self._inside(self.end, "ip", "link", "set", device, "up")
        self._inside(self.end, "ip", "route", "add", "default", "via", f"{net}.9")
        self.heal()

    @property
    def prefix(self):
        """What a command begins with to run on the far side."""
        return ("nsenter", "-t", str(self.end.pid), "-n")

    def drop(self, host):
        """Nothing that the far side sends to this address arrives."""
        self._inside(self.middle, "ip", "route", "add", "blackhole", f"{host}/32")
        self.dropped.append(host)

    def cut(self):
        """Nothing passes, in either direction."""
        self._forward(0)

    def heal(self):
        for host in getattr(self, "dropped", ()):
            self._inside(self.middle, "ip", "route", "del", "blackhole", f"{host}/32")
        self.dropped = []
        self._forward(1)

    def queued(self, port):
        """(unacknowledged, unread) bytes of the far side's sockets to this port, also of those that were closed."""
        sent, unread = 0, 0
        with open(f"/proc/{self.end.pid}/net/tcp") as table:
            for line in table.readlines()[1:]:
                fields = line.split()
                if int(fields[2].split(":")[1], 16) == port:
                    waiting = fields[4].split(":")
                    sent += int(waiting[0], 16)
                    unread += int(waiting[1], 16)
        return sent, unread

    def end_all(self):
        for holder in self.holders:
            processes.reap(holder)

    def _namespace(self):
        holder = processes.spawn(["unshare", "-n", "sleep", "infinity"])
        self.holders.append(holder)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != own, 10, "a network namespace")
        return holder

    def _forward(self, value):
        self._inside(self.middle, "sh", "-c", f"echo {value} >/proc/sys/net/ipv4/ip_forward")

    def _inside(self, holder, *command):
        self._run("nsenter", "-t", str(holder.pid), "-n", *command)

    @staticmethod
    def _run(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
