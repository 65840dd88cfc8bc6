package contribd.testads;

import com.refinitiv.ema.access.AckMsg;
import java.util.Map;

/** What one post is answered with: nothing at all, an ack after a while (nakCode 0 is a positive one), or an end. */
record Answer(Kind kind, int nakCode, String text, long delayMillis) {

    enum Kind { ACK, NOTHING, CLOSED_CHANNEL }

    static final Answer ACCEPTED = accepted(null);
    static final Answer NONE = new Answer(Kind.NOTHING, AckMsg.NackCode.NONE, null, 0);
    static final Answer CLOSED = new Answer(Kind.CLOSED_CHANNEL, AckMsg.NackCode.NONE, null, 0);

    /** Names as tr_json2 spells them on the wire. */
    static final Map<String, Integer> NAK_CODES = Map.of(
            "AccessDenied", AckMsg.NackCode.ACCESS_DENIED,
            "DeniedBySrc", AckMsg.NackCode.DENIED_BY_SOURCE,
            "SourceDown", AckMsg.NackCode.SOURCE_DOWN,
            "SourceUnknown", AckMsg.NackCode.SOURCE_UNKNOWN,
            "NoResources", AckMsg.NackCode.NO_RESOURCES,
            "NoResponse", AckMsg.NackCode.NO_RESPONSE,
            "GatewayDown", AckMsg.NackCode.GATEWAY_DOWN,
            "SymbolUnknown", AckMsg.NackCode.SYMBOL_UNKNOWN,
            "NotOpen", AckMsg.NackCode.NOT_OPEN,
            "InvalidContent", AckMsg.NackCode.INVALID_CONTENT);

    /** As seen from real servers. */
    private static final Map<Integer, String> NAK_TEXTS = Map.of(
            AckMsg.NackCode.DENIED_BY_SOURCE, "[500]: Unknown Item",
            AckMsg.NackCode.SOURCE_DOWN, "A9: Service is unavailable.",
            AckMsg.NackCode.SYMBOL_UNKNOWN, "F44: Unable to find item on post update.");

    static Answer accepted(String text) {
        return new Answer(Kind.ACK, AckMsg.NackCode.NONE, text, 0);
    }

    static Answer refused(int nakCode) {
        return refused(nakCode, NAK_TEXTS.get(nakCode));
    }

    static Answer refused(int nakCode, String text) {
        return new Answer(Kind.ACK, nakCode, text, 0);
    }

    Answer after(long millis) {
        return new Answer(kind, nakCode, text, millis);
    }
}
