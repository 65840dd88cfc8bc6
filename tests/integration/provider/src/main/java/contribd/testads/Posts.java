package contribd.testads;

import com.refinitiv.ema.access.AckMsg;
import com.refinitiv.ema.access.Data;
import com.refinitiv.ema.access.DataType.DataTypes;
import com.refinitiv.ema.access.EmaFactory;
import com.refinitiv.ema.access.FieldEntry;
import com.refinitiv.ema.access.FieldList;
import com.refinitiv.ema.access.OmmProvider;
import com.refinitiv.ema.access.OmmProviderEvent;
import com.refinitiv.ema.access.OmmReal;
import com.refinitiv.ema.access.PostMsg;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;

/** Journals every post and answers it, at once or when its delay is over. */
final class Posts {

    private record Due(long nanos, long sequence, long handle, AckMsg ack) implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            int byTime = Long.compare(nanos - other.nanos, 0);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }

    private final Journal journal;
    private final Rules rules;
    private final Services services;
    private final PriorityQueue<Due> later = new PriorityQueue<>();
    private long sequence;

    Posts(Journal journal, Rules rules, Services services) {
        this.journal = journal;
        this.rules = rules;
        this.services = services;
    }

    void received(PostMsg post, OmmProviderEvent event) {
        sequence++;
        Data payload = post.payload().data();
        boolean refresh = payload.dataType() == DataTypes.REFRESH_MSG;
        String ric = post.hasName() ? post.name() : "";
        note(post, payload, ric, event);
        Services.State service = post.hasServiceId() ? services.state(post.serviceId()) : Services.State.UNKNOWN;
        Answer answer = rules.answerTo(ric, refresh, service);
        if (answer.kind() == Answer.Kind.CLOSED_CHANNEL) {
            event.provider().closeChannel(event.clientHandle());
            return;
        }
        if (answer.kind() == Answer.Kind.NOTHING || !post.solicitAck()) {
            return;
        }
        if (answer.delayMillis() == 0 && later.isEmpty()) {
            event.provider().submit(ack(post, answer), event.handle());
            return;
        }
        long due = System.nanoTime() + answer.delayMillis() * 1_000_000;
        later.add(new Due(due, sequence, event.handle(), ack(post, answer)));
    }

    /** Sends the answers whose delay is over; returns the microseconds until the next one, at most {@code most}. */
    long sendDue(OmmProvider provider, long most) {
        while (!later.isEmpty()) {
            long wait = later.peek().nanos() - System.nanoTime();
            if (wait > 0) {
                return Math.min(most, Math.max(1, wait / 1000));
            }
            Due due = later.poll();
            provider.submit(due.ack(), due.handle());
        }
        return most;
    }

    private static AckMsg ack(PostMsg post, Answer answer) {
        AckMsg ack = EmaFactory.createAckMsg().domainType(post.domainType()).ackId(post.postId());
        if (post.hasName()) {
            ack.name(post.name());
        }
        if (post.hasServiceId()) {
            ack.serviceId(post.serviceId());
        }
        if (post.hasSeqNum()) {
            ack.seqNum(post.seqNum());
        }
        if (answer.nakCode() != AckMsg.NackCode.NONE) {
            ack.nackCode(answer.nakCode());
        }
        if (answer.text() != null) {
            ack.text(answer.text());
        }
        return ack;
    }

    private void note(PostMsg post, Data payload, String ric, OmmProviderEvent event) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("kind", "post");
        entry.put("ric", ric);
        entry.put("service", post.hasServiceName() ? post.serviceName() : null);
        entry.put("service_id", post.hasServiceId() ? post.serviceId() : null);
        entry.put("post_id", post.hasPostId() ? post.postId() : null);
        entry.put("user_id", post.publisherIdUserId());
        entry.put("user_address", post.publisherIdUserAddress());
        entry.put("channel", event.clientHandle());
        switch (payload.dataType()) {
            case DataTypes.UPDATE_MSG -> {
                entry.put("type", "Update");
                entry.put("fields", fields(post.payload().updateMsg().payload().data()));
            }
            case DataTypes.REFRESH_MSG -> {
                entry.put("type", "Refresh");
                entry.put("fields", fields(post.payload().refreshMsg().payload().data()));
            }
            default -> {
                entry.put("type", null);
                entry.put("fields", fields(payload));
            }
        }
        journal.write(entry);
    }

    /** Null for a blank. Without a dictionary, as for a service unknown here, EMA knows neither names nor values. */
    private static Map<String, String> fields(Data payload) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (payload.dataType() == DataTypes.FIELD_LIST) {
            for (FieldEntry field : (FieldList) payload) {
                Data value = field.load();
                if (value.dataType() == DataTypes.ERROR) {
                    fields.put(Integer.toString(field.fieldId()), "not decoded");
                } else {
                    fields.put(field.name(), text(value));
                }
            }
        }
        return fields;
    }

    /** A Real exactly as it was encoded (EMA prints it by way of a double); anything else as EMA prints it. */
    private static String text(Data value) {
        if (value.code() == Data.DataCode.BLANK) {
            return null;
        }
        if (value.dataType() != DataTypes.REAL) {
            return value.toString();
        }
        OmmReal real = (OmmReal) value;
        int magnitude = real.magnitudeType();
        if (magnitude > OmmReal.MagnitudeType.EXPONENT_POS_7) {
            return value.toString();
        }
        // Magnitudes 0 to 21 are powers of ten from -14 to 7.
        BigDecimal exact = BigDecimal.valueOf(real.mantissa(), OmmReal.MagnitudeType.EXPONENT_0 - magnitude);
        return exact.signum() == 0 ? "0" : exact.stripTrailingZeros().toPlainString();
    }
}
