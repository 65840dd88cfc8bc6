"""Every bound of the engine, with the reason for its number and how it relates to the others."""

from dataclasses import dataclass
from typing import Final

MAX_SPAN: Final = 20_000
"""Offsets. How far past a partition's settled prefix a record may be taken. Kafka keeps at most 4,096 characters of
commit metadata (broker setting ``offset.metadata.max.bytes``); the bitmap spends one bit an offset and base64 four
characters for three bytes: 20,000 offsets are 2,500 bytes, 3,336 characters. The rest is room for the header, the
topic's id and some numbers."""

MAX_COMMIT_BITS: Final = 24_000
"""Bits. What the bitmap of offsets and the parts of records may take together in commit metadata: 4,000 characters. So
500 records of 40 posts each, of the same 40 instruments, may be settled in part at a time."""

CURVES_PER_TOLD: Final = 8
"""Of so many records taken whose posts are of different instruments, a commit is thought to tell of one: of those that
wait, few are settled in part at a time. Where more are, it leaves them to the results topic. So curves of 20 to 40
instruments wait in numbers that fill transactions as single quotes do: with 1, they were posted at two thirds of their
rate (docs/performance.md)."""

STAMP_MARGIN: Final = 3_600
"""Seconds by which the clock of whoever stamped a record may be ahead of that of whoever wrote its result."""

RULES_LENGTH: Final = 8
"""Characters of the digest of the rules that commits and results name: enough to tell those of one group apart."""

MAX_METADATA: Final = 4_096
"""Characters of commit metadata a broker takes by default."""

MIN_METADATA: Final = 52
"""Characters. The span is made no narrower than fits into these, which is 24 offsets; and a commit that leaves to the
results topic what is settled fits, too. A broker that takes less cannot be worked with."""

MAX_WAITING_RECORDS: Final = 50_000
"""Records taken and not yet settled, over all partitions, before every partition is paused. At about 2 KiB a record
with its mapped fields this is 100 MiB; it is 100 times the default window, so a pause never starves the session."""

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Bytes of record values behind the records that wait; bounds memory where records are large."""

MAX_LAST_POSTED: Final = 100_000
"""RICs of which it is kept what was last posted; the one posted longest ago is forgotten, and nothing is suppressed for
it until it is posted again. Only RICs of mappings that ask for it are kept."""

MAX_WITHDRAWING: Final = 1_000
"""Withdrawals made and not yet settled: twice the default window, so that making them never holds the session up, and
so few that an engine that comes back finds most of its quotes untouched."""

MAX_PAUSES_KNOWN: Final = 200_000
"""RICs of which it is kept whether they are paused, while anything is: some 30 MiB. With more it is found out anew."""

UNSENT_SECONDS: Final = 1.0
"""How long a post of what is paused may lie in the connection while the ADS does not read: then the connection is
ended, which throws it away. An order to stop is worth a session."""

MIN_SWEEP: Final = 1_024
"""Expiry times kept before those of settled prices are swept out; from then on, whenever their number has doubled. A
constant cost a price, and memory that follows the prices that wait."""

MAX_BATCH_RESULTS: Final = 5_000
"""Results in one transaction. Larger transactions gain nothing measurable and hold read_committed readers back."""

MAX_BATCH_BYTES: Final = 16 * 1024 * 1024
"""Bytes of record values behind the results of one transaction: large records are written a few at a time, so that it
stays well within its timeout. Passed by one record, or by the prices merged into one post, which stay together."""

MAX_RESULT_BYTES: Final = 1_000_000
"""Bytes of one record contribd writes. A broker takes 1,048,588 by default (``message.max.bytes``); one record more
would fail its transaction, and every transaction after it."""

SHORT_TEXTS: Final = (1_000, 100, 16)
"""Characters that are left of each text in a result that has to be shortened: as many as find room."""

MIN_RESULT_BYTES: Final = 1_000
"""Bytes. A topic that takes no result of this size cannot be worked with: the shortest ones have about as many, with
long names of topic and instance."""

LINGER: Final = 0.003
"""Seconds the first settled results wait for others whose answers are due. A transaction takes about ten milliseconds
however little it holds."""

LINGER_RESULTS: Final = 200
"""Results that are worth a transaction without waiting for more."""

DROP_GRACE: Final = 1.0
"""Seconds. After an Error for one post of a frame, how long its frame mates may stay unanswered before they count as
dropped with it. Acks come in order, so an answer to a later frame settles it sooner."""

MIN_QUIET: Final = 1.0
"""Seconds. Pings are never sent more often than this, however short the server's PingTimeout."""

DEFAULT_PING_TIMEOUT: Final = 30.0
"""Seconds. Assumed where the login answer names none; the value servers were seen to send."""

DEFAULT_MAX_MESSAGE_SIZE: Final = 61_430
"""Bytes. Assumed where the login answer names none; the value servers were seen to send."""

STABLE_AFTER: Final = 30.0
"""Seconds a session must stay open before its endpoint's earlier failures are forgotten."""

CONNECT_TIMEOUTS: Final = 2
"""A connection is given up after this many login timeouts: whoever makes it takes one for all its steps, and a token
request one for each of its own."""

DIRECTORY_TIMEOUT: Final = 5.0
"""Seconds to wait for the source directory after login before posting without it, with a warning; and before it is
asked for again where the server closed its stream."""

MAX_PROBE_INTERVAL: Final = 30.0
"""Seconds between two probes of a preferred endpoint, at most: a connection in half a minute is no load for an ADS."""

MIN_PROBE_INTERVAL: Final = 1.0
"""Seconds between two probes, at least however short the hold time: one that hangs keeps a thread until its timeout."""

MAX_HOLD: Final = 3600.0
"""Seconds. However often a return to a preferred endpoint failed, an hour of reachability earns it another try."""

RENEW_AT: Final = 0.8
"""Share of a token's life after which it is renewed (as the vendor's own libraries do): a fifth is left for tries."""

MIN_TOKEN_LIFE: Final = 10.0
"""Seconds. A shorter life is taken for this, so that a token service gone wrong is not asked without pause."""

MAX_RETRY_AFTER: Final = 3600.0
"""Seconds. The longest Retry-After of a token service that is kept to."""

OFFENDER_FIRST: Final = 5.0
"""Seconds an instrument whose post ended a session waits before it is posted again; doubled with each such post. Far
more than a session takes to make, so that the others lose next to nothing."""

OFFENDER_LONGEST: Final = 300.0
"""Seconds, at most: what has been cured is noticed within minutes."""

OFFENDERS_LONGEST: Final = 60.0
"""Seconds between two sessions that offenders end, at most, however many there are: that wait doubles in the same way.
Less than this and many offenders together would end a session every few seconds."""

WATCHED_FOR: Final = 120.0
"""Seconds after its last wait that an offender's posts go by themselves though they are answered: a value now and then
may be what ends the session. Sessions that end less often than that cost the others too little to notice."""

WATCHED_INTERVAL: Final = 1.0
"""Seconds between two of its posts: each has the session for itself for a moment."""

TRIALS: Final = 10
"""Into so many trials the instruments in doubt are divided: after a cut connection hundreds are, and one by one they
would take as many round trips."""

MAX_SHOWN: Final = 100
"""Isolated instruments that are shown by name; of more only their number is."""

STEADY_AFTER: Final = 3.0
"""Seconds a session must have been open before a post that ended it is believed to be the cause though no other was
answered: a server that ends every session at once is not to be logged in to at once again."""

SILENT_SHARE: Final = 10
"""A tenth of the window, rounded up, is for instruments whose posts are not answered."""

MAX_ISOLATED: Final = 10_000
"""Instruments remembered as isolated while they have nothing to post; the oldest is forgotten. Twenty default windows,
a few megabytes."""

MAX_AHEAD: Final = 60_000_000
"""Microseconds that a record's timestamp may be ahead of this host's clock: clocks of hosts that are kept differ by far
less. One further ahead is wrong, and would never be too old; it counts as of the record's arrival."""

LINE_INTERVAL: Final = 60.0
"""Seconds between two lines in the log of one kind, where each record, answer or try could make one; all of them are
counted."""

MEMBERSHIP_MARGIN: Final = 0.1
"""Share of the group's session timeout by which posting stops before the group may give our partitions away."""

RATE_BURST: Final = 0.05
"""Seconds of ``max_rate`` that may be sent at once; keeps packing useful without visible bursts."""

ACK_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the histogram post sent → answered."""

DELIVERY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0)
"""Upper bounds, in seconds, of the histogram Kafka timestamp → post sent."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the engine holds together; a simulation makes them small, so that short runs reach them."""

    span: int = MAX_SPAN
    commit_bits: int = MAX_COMMIT_BITS
    curves_per_told: int = CURVES_PER_TOLD
    waiting_records: int = MAX_WAITING_RECORDS
    waiting_bytes: int = MAX_WAITING_BYTES
    batch_results: int = MAX_BATCH_RESULTS
    batch_bytes: int = MAX_BATCH_BYTES

    @property
    def resume_records(self) -> int:
        """Paused partitions are resumed at this: half, so that pause and resume do not chase each other."""
        return self.waiting_records // 2

    @property
    def resume_bytes(self) -> int:
        """The same for bytes."""
        return self.waiting_bytes // 2


DEFAULT_BOUNDS = Bounds()

LATE_HEARTBEAT: Final = 1.5
"""Heartbeat intervals without a word of the group after which Kafka may be away. With less, a pricing engine that is
silent for as long as heartbeats are apart would never be found silent: one that comes a little late would tell of an
outage, and the silence would begin anew."""
