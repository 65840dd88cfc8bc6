"""The oracle's law on the results of withdrawals: one for each, of no record, with exactly its own posts."""

import json
from typing import Any

from tests.simulation.world.oracle.evidence import STATUS_OF_ANSWER, Blanking, Complain, ProcessEvidence, SeenPost
from tests.simulation.world.oracle.market import Markets
from tests.simulation.world.plan import Plan

from contribd.engine.records.offsets import Partition
from contribd.engine.records.result_encoder import Encoded


class BlankResultRules:
    """Judges the results of withdrawals."""

    def __init__(self, plan: Plan, markets: Markets, complain: Complain) -> None:
        self._plan = plan
        self._markets = markets
        self._complain = complain
        self.durable: dict[str, int] = {"stop": 0, "silent": 0, "order": 0}
        """Withdrawals with a durable result, by reason."""

    def result(self, encoded: Encoded, process: ProcessEvidence) -> None:
        """The result of a withdrawal is durable."""
        result, market = json.loads(encoded.value), self._markets.of(process)
        said, key = result["withdrawal"], (result["service"], result["ric"])
        wires = [process.sessions.get(entry["session"]) for entry in result["posts"]]
        posts = [
            None if wire is None else wire.posts.get(entry["post_id"])
            for wire, entry in zip(wires, result["posts"], strict=True)
        ]
        made = [post for post in posts if post is not None]
        blanking = made[0].blanking if made else None
        if blanking is not None:
            self._part(blanking, made, market.up.get(key, set()))
        if blanking is None or posts != blanking.posts:
            self._complain("6: a withdrawal's result with other posts than were made", str(result), result["ric"])
            return
        if blanking.told:
            self._complain("1: a second result of a withdrawal", str(result), result["ric"])
        blanking.told = True
        if result["status"] == "ACK" and process.stopping_at is None:  # a stop may blank twice in a row
            market.withdrawn(key)
        self.durable[said["reason"]] += 1
        first = blanking.posts[0]
        if (first.service, first.ric) != key or first.blanks != result["fields"].keys():
            self._complain("6: a result that names another quote", f"{result}: {first}", result["ric"])
        self._check_frame(result, encoded, blanking)

    def _part(self, blanking: Blanking, posts: list[SeenPost], up: set[Partition]) -> None:
        """A stop withdraws anew what failed, maybe before that has its result: posts from then on are another's."""
        rest = blanking.posts[len(posts) :]
        if not rest or blanking.posts != posts + rest or not self._plan.withdraw_on_stop:
            return
        if rest[0].process.stopping_at is None or rest[0].mono < rest[0].process.stopping_at:
            return
        blanking.posts = posts
        another = Blanking(blanking.partitions | up, rest)
        for post in rest:
            post.blanking = another

    def _check_frame(self, result: dict[str, Any], encoded: Encoded, blanking: Blanking) -> None:
        said, ric = result["withdrawal"], result["ric"]
        headers = {name: value.decode() for name, value in encoded.headers}
        names = {"status": result["status"], "ric": ric, "service": result["service"]}
        if headers != {**names, "source": "", "withdrawal": said["reason"]}:
            self._complain("6: headers that are not the result's", f"{headers} {result}", ric)
        if result["carried_by"] is not None or any(value is not None for value in result["fields"].values()):
            self._complain("6: a withdrawal's result with a price's marks", str(result), ric)
        if Partition(said["topic"], said["partition"]) not in blanking.partitions:
            self._complain("6: a withdrawal of another partition", f"{result}: {blanking.partitions}", ric)
        stopping = blanking.posts[0].process.stopping_at is not None
        if said["reason"] == "stop" and not stopping:
            self._complain("6: a stop that was none", str(result), ric)
        if STATUS_OF_ANSWER[result["posts"][-1]["answer"]] != result["status"]:
            self._complain("6: a status that its last post does not bear out", str(result), ric)
        tried = [entry for entry in result["posts"] if not (entry["text"] or "").startswith("dropped by the ADS")]
        if len(tried) > self._plan.attempts:
            self._complain("a withdrawal posted more often than allowed", str(result), ric)
