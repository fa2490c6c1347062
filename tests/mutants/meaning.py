"""Mistakes of meaning in heat/, made by hand: order, leak, bound, wrong branch, missing close."""

from collections.abc import Iterator
from typing import NamedTuple

from .copy import HOME
from .sample import Mistake, statement


class _Change(NamedTuple):
    module: str
    before: str
    after: str


_CHANGES: tuple[_Change, ...] = (
    _Change(
        "heat/process/reaper.py",
        "        if pid in own:\n",
        "        if pid in ():\n",
    ),
    _Change(
        "heat/process/reaper.py",
        "        if each not in own:\n",
        "        if each:\n",
    ),
    _Change(
        "heat/process/frost.py",
        "            if self.owed is not None:\n                self.owed.frozen(pid, pidfd)\n            signal.pidfd_send_signal(pidfd, signum)\n",
        "            signal.pidfd_send_signal(pidfd, signum)\n            if self.owed is not None:\n                self.owed.frozen(pid, pidfd)\n",
    ),
    _Change(
        "heat/process/frost.py",
        "        if self._frozen is not None and self._frozen.pid != pid:\n            self.wake()\n",
        "",
    ),
    _Change(
        "heat/process/frost.py",
        "        if self._frozen is not None:\n            os.close(self._frozen.pidfd)\n        self._frozen = Frozen",
        "        self._frozen = Frozen",
    ),
    _Change(
        "heat/process/frost.py",
        "            os.close(held)\n            raise\n",
        "            raise\n",
    ),
    _Change(
        "heat/process/frost.py",
        "            os.close(frozen.pidfd)\n            if",
        "            if",
    ),
    _Change(
        "heat/process/frost.py",
        "                self.owed.woken()\n",
        "                pass\n",
    ),
    _Change(
        "heat/process/frost.py",
        "            # Another process may have taken the place of the frozen one: wake that too.\n            self.wake()\n",
        "            self._frozen = None\n",
    ),
    _Change(
        "heat/process/target.py",
        "    if fields and fields[0] in DEAD:\n",
        "    if False:\n",
    ),
    _Change(
        "heat/process/target.py",
        "        finally:\n            os.close(pidfd)\n        return named.pid\n",
        "        finally:\n            pass\n        return named.pid\n",
    ),
    _Change(
        "heat/process/target.py",
        "            if named.pid == os.getpid():\n                return self._send_to_heat(signum)\n",
        "",
    ),
    _Change(
        "heat/process/pid_file.py",
        "OLDER = 5.0\n",
        "OLDER = 500.0\n",
    ),
    _Change(
        "heat/process/pid_file.py",
        "    if about.st_nlink > 1:\n",
        "    if about.st_nlink > 2:\n",
    ),
    _Change(
        "heat/process/pid_file.py",
        "0 < int(word) <= PID_MAX",
        "0 <= int(word) <= PID_MAX",
    ),
    _Change(
        "heat/process/child.py",
        "        self._unreaped.discard(self.pid)\n",
        "",
    ),
    _Change(
        "heat/process/child.py",
        "        self._loop.attentive -= 1\n",
        "",
    ),
    _Change(
        "heat/process/child.py",
        "_MOST_READS = 16\n",
        "_MOST_READS = 1\n",
    ),
    _Change(
        "heat/process/child.py",
        "        for which, pipe in enumerate(self._pipes):\n            if pipe != NO_FD:\n                self._close_pipe(which)\n        os.close(self._pidfd)\n",
        "        os.close(self._pidfd)\n",
    ),
    _Change(
        "heat/process/child.py",
        "                self._close_pipe(which)\n        os.close(self._pidfd)\n",
        "                self._close_pipe(which)\n",
    ),
    _Change(
        "heat/process/child.py",
        "            self._loop.heed()\n",
        "            pass\n",
    ),
    _Change(
        "heat/process/run.py",
        "            self._child.signal_group(signal.SIGCONT)\n",
        "",
    ),
    _Change(
        "heat/process/run.py",
        "        if self._child.exited():\n            return  # In time; HEAT just did not see it yet.\n",
        "",
    ),
    _Change(
        "heat/process/run.py",
        "                self._child.signal_group(signal.SIGTERM)\n                self._leave()\n",
        "                self._leave()\n",
    ),
    _Change(
        "heat/process/run.py",
        "if self._hard or self._c",
        "if self._c",
    ),
    _Change(
        "heat/process/run.py",
        "max(0.0, self._deadline + lost - self._clock.now())",
        "max(0.0, self._deadline - self._clock.now())",
    ),
    _Change(
        "heat/process/run.py",
        "return code if signum is None else 128 + signum",
        "return code if signum is None else signum",
    ),
    _Change(
        "heat/runtime/scheduler.py",
        "while heap and heap[0][0] <= now:",
        "while heap and heap[0][0] < now:",
    ),
    _Change(
        "heat/runtime/scheduler.py",
        "        self._k = 1\n",
        "        self._k = 0\n",
    ),
    _Change(
        "heat/runtime/scheduler.py",
        "if len(self._heap) >= self._bound:",
        "if len(self._heap) < 0:",
    ),
    _Change(
        "heat/runtime/loop.py",
        "_LONGEST_SLEEP = 86_400.0\n",
        "_LONGEST_SLEEP = 8_640_000.0\n",
    ),
    _Change(
        "heat/runtime/loop.py",
        "        self._forgotten.add(fd)\n",
        "",
    ),
    _Change(
        "heat/runtime/loop.py",
        "        due.owner.crashed(error)\n",
        "        raise\n",
    ),
    _Change(
        "heat/runtime/loop.py",
        "self.lost += since\n",
        "self.lost += since - self._asleep - 1.0\n",
    ),
    _Change(
        "heat/runtime/limiter.py",
        "if self.running < self.most and not self._waiting:",
        "if self.running < self.most:",
    ),
    _Change(
        "heat/runtime/limiter.py",
        "        self.running -= 1\n        self._fill()\n",
        "        self._fill()\n        self.running -= 1\n",
    ),
    _Change(
        "heat/store/state_file.py",
        "changes = [self.snapshot()] if self._backlog.overflowed else chunk",
        "changes = chunk",
    ),
    _Change(
        "heat/store/state_file.py",
        "        self._backlog.clear()\n",
        "",
    ),
    _Change(
        "heat/store/state_file.py",
        "self.write([self._session(), *self.snapshot()])",
        "self.write([self._session()])",
    ),
    _Change(
        "heat/store/state_file.py",
        "        self._database.unlock()\n",
        "",
    ),
    _Change(
        "heat/store/state_file.py",
        "self._seen(), (sql.SESSION_ENDED, (self._clock.unix(),))",
        "self._seen()",
    ),
    _Change(
        "heat/store/history.py",
        "None if helped is None else bool(helped)",
        "helped is not None",
    ),
    _Change(
        "heat/control/server.py",
        "            self._loop.forget(listener.fd)\n            listener.close()\n",
        "            self._loop.forget(listener.fd)\n",
    ),
    _Change(
        "heat/control/server.py",
        "if uid not in (0, os.geteuid()):",
        "if False:",
    ),
    _Change(
        "heat/control/connection.py",
        "        elif self._ends:\n            self.close()\n",
        "        elif self._ends:\n            self._await(reading=True)\n",
    ),
    _Change(
        "heat/control/server.py",
        "            self._queue.popleft()\n            self._next()\n",
        "            self._next()\n            self._queue.popleft()\n",
    ),
    _Change(
        "heat/monitor/pause.py",
        "        host, self.pause = self._host, pause\n        host.drop_signal()\n",
        "        host, self.pause = self._host, pause\n",
    ),
    _Change(
        "heat/monitor/pause.py",
        "        host.drop_signal()\n        self.cancel()\n",
        "        host.drop_signal()\n",
    ),
    _Change(
        "heat/monitor/pause.py",
        "        if host.record is not None:\n            host.record.resumed(host.world.clock.unix())\n",
        "",
    ),
    _Change(
        "heat/monitor/target_signals.py",
        "        host = self._host\n        self.drop()\n",
        "        host = self._host\n",
    ),
    _Change(
        "heat/monitor/target_signals.py",
        "        if goes_before_recovery and host.script is None:\n            self.drop()\n            return\n",
        "",
    ),
    _Change(
        "heat/monitor/check_runner.py",
        "        if host.exit_code is not None or host.model.paused:\n",
        "        if host.exit_code is not None:\n",
    ),
    _Change(
        "heat/monitor/check_runner.py",
        "        except StartError as error:\n            self.end_turn()\n",
        "        except StartError as error:\n",
    ),
    _Change(
        "heat/monitor/check_runner.py",
        "        if code == 0:\n            return _PASSED\n        if code is None:\n",
        "        if not code:\n            return _PASSED\n        if code is None:\n",
    ),
    _Change(
        "heat/monitor/script_runner.py",
        "        except StartError as error:\n            host.write(host.report.fail_not_started, str(error))\n            host.feed(FailEnded())\n",
        "        except StartError as error:\n            host.write(host.report.fail_not_started, str(error))\n",
    ),
    _Change(
        "heat/monitor/script_runner.py",
        "        if role == RECOVERY and self._host.record is not None:\n",
        "        if False:\n",
    ),
)


def mistakes() -> Iterator[Mistake]:
    """Yield them. Raises ValueError for a change whose text the module does not have once."""
    for module, before, after in _CHANGES:
        source = (HOME / module).read_text()
        if source.count(before) != 1:
            raise ValueError(f"{module} has {source.count(before)} times: {before}")
        line = source[: source.index(before)].count("\n") + 1
        lines = statement(source, line)
        last = line + before.count("\n")
        what = f"{module} by hand: {line}: {before.strip()} -> {after.strip()}"
        text = source.replace(before, after)
        yield Mistake(what, module, text, range(min(lines.start, line), max(lines.stop, last + 1)))
