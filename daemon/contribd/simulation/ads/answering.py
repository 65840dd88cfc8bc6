"""What a simulated ADS answers to the posts it can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contribd.simulation.ads import messages
from contribd.simulation.ads.conversion import Conversion
from contribd.simulation.ads.options import Posted
from contribd.simulation.ads.ric_rules import ACK, SILENT, RicAnswer, nak

if TYPE_CHECKING:
    from contribd.simulation.ads.simulated_ads import SimulatedAds

POST_ID_RANGE: Final = 1 << 32
_KEPT_KEYS: Final = 100_000  # RICs whose encoded Key is remembered

_NO_SERVICE = nak("DeniedBySrc", "Unable to find service for post message.")
_SERVICE_DOWN = nak("SourceDown")


class AnswerDesk:
    """Decides, records and writes the answers to the posts of one connection."""

    def __init__(self, ads: SimulatedAds, connection: int) -> None:
        self._ads = ads
        self._connection = connection
        self._keys: dict[tuple[str, object], bytes] = {}

    def take(self, post: Conversion) -> RicAnswer:
        """Takes the post, and says what it gets."""
        ads = self._ads
        answer = SILENT if ads.silent else self._decide(post)
        ads.posts_taken += 1
        if ads.options.record:
            word = "None" if answer.silent else "Nak" if answer.nak_code is not None else "Ack"
            ads.posts.append(Posted(ads.posts_taken, self._connection, *post, word))
        return answer

    def ack(self, stream: int, post: Conversion, answer: RicAnswer) -> bytes:
        """The Ack or Nak, as one message."""
        index = (post.ric, post.service)
        key = self._keys.get(index)
        if key is None:
            if len(self._keys) >= _KEPT_KEYS:
                self._keys.clear()
            key = self._keys[index] = messages.encode_key(post.ric, self._service_in_ack(post.service))
        return messages.ack(stream, (post.post_id or 0) % POST_ID_RANGE, key, answer.nak_code, answer.text)

    def _decide(self, post: Conversion) -> RicAnswer:
        ads = self._ads
        service = ads.find_service(post.service)
        if service is None:
            return _NO_SERVICE
        if not service.up:
            return _SERVICE_DOWN
        answer = ads.rules.answer(post.ric)
        if answer.until_refresh:
            item = (service.name, post.ric)
            if post.type == "Refresh":
                ads.items.add(item)
            return ACK if item in ads.items else answer
        return answer

    def _service_in_ack(self, posted: object) -> object:
        service = self._ads.find_service(posted)
        if service is None:
            return posted
        return service.name if self._ads.options.ack_service_names else service.id
