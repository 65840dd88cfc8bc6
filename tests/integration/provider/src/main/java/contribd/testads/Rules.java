package contribd.testads;

import com.refinitiv.ema.access.AckMsg;
import java.util.HashSet;
import java.util.Set;

/**
 * Chooses the answer to a post by the text of its RIC, so that a test decides it by the RIC it posts to.
 *
 * <pre>
 * NAK.DeniedBySrc.anything   that NakCode (names as on the wire), with its usual text
 * NAK13.anything             that NakCode by number
 * SILENT.anything            no answer, ever
 * SLOW.anything              accepted after a second; SLOW250.anything after 250 ms
 * TEXT.anything              accepted, with a text
 * UNKNOWN.anything           does not exist until a Refresh post has created it
 * CLOSE.anything             the connection is closed
 * anything else              accepted
 * </pre>
 */
final class Rules {

    private static final long SLOW_MILLIS = 1000;

    private final Set<String> created = new HashSet<>();
    private long delayMillis;
    private boolean silent;

    Rules(long delayMillis) {
        this.delayMillis = delayMillis;
    }

    void delay(long millis) {
        delayMillis = millis;
    }

    void silent(boolean on) {
        silent = on;
    }

    Answer answerTo(String ric, boolean refresh, Services.State service) {
        if (silent) {
            return Answer.NONE;
        }
        Answer answer = answer(ric, refresh, service);
        return answer.after(answer.delayMillis() + delayMillis);
    }

    private Answer answer(String ric, boolean refresh, Services.State service) {
        if (service == Services.State.UNKNOWN) {
            return Answer.refused(AckMsg.NackCode.DENIED_BY_SOURCE, "Unable to find service for post message.");
        }
        if (service == Services.State.DOWN) {
            return Answer.refused(AckMsg.NackCode.SOURCE_DOWN);
        }
        int dot = ric.indexOf('.');
        String rule = dot < 0 ? "" : ric.substring(0, dot);
        if (rule.startsWith("NAK")) {
            return nak(rule.substring(3), ric.substring(dot + 1));
        }
        if (rule.startsWith("SLOW")) {
            return Answer.ACCEPTED.after(rule.length() == 4 ? SLOW_MILLIS : Long.parseLong(rule.substring(4)));
        }
        return switch (rule) {
            case "SILENT" -> Answer.NONE;
            case "TEXT" -> Answer.accepted("[4]: Creation Accepted");
            case "CLOSE" -> Answer.CLOSED;
            case "UNKNOWN" -> item(ric, refresh);
            default -> Answer.ACCEPTED;
        };
    }

    private static Answer nak(String number, String rest) {
        if (!number.isEmpty()) {
            return Answer.refused(Integer.parseInt(number));
        }
        String name = rest.substring(0, Math.max(0, rest.indexOf('.')));
        Integer code = Answer.NAK_CODES.get(name);
        if (code == null) {
            throw new IllegalArgumentException("no such rule: NAK." + rest);
        }
        return Answer.refused(code);
    }

    private Answer item(String ric, boolean refresh) {
        if (refresh) {
            created.add(ric);
        }
        return created.contains(ric)
                ? Answer.ACCEPTED
                : Answer.refused(AckMsg.NackCode.SYMBOL_UNKNOWN);
    }
}
