package contribd.testads;

import com.refinitiv.ema.access.ElementEntry;
import com.refinitiv.ema.access.ElementList;
import com.refinitiv.ema.access.EmaFactory;
import com.refinitiv.ema.access.OmmProvider;
import com.refinitiv.ema.access.OmmProviderEvent;
import com.refinitiv.ema.access.OmmState;
import com.refinitiv.ema.access.RefreshMsg;
import com.refinitiv.ema.access.ReqMsg;
import com.refinitiv.ema.access.StatusMsg;
import com.refinitiv.ema.rdm.EmaRdm;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The login streams.
 *
 * <p>The user name, or the token, decides: "refused" is not entitled, "pending" is already pending, "unanswered" gets
 * no answer, anyone else is logged in.
 */
final class Login {

    private final Options options;
    private final Journal journal;
    private final Map<Long, Long> channels = new LinkedHashMap<>();

    Login(Options options, Journal journal) {
        this.options = options;
        this.journal = journal;
    }

    void requested(ReqMsg request, OmmProviderEvent event) {
        Map<String, String> elements = elements(request);
        note("login", request, elements);
        String who = elements.getOrDefault("AuthenticationToken", request.hasName() ? request.name() : "");
        switch (who) {
            case "refused" -> refuse(event, request, OmmState.StatusCode.NOT_AUTHORIZED, "Login denied");
            case "pending" -> refuse(event, request, OmmState.StatusCode.NONE, "Already pending login");
            case "unanswered" -> channels.put(event.handle(), event.clientHandle());
            default -> accept(event, request);
        }
    }

    void reissued(ReqMsg request) {
        note("reissue", request, elements(request));
    }

    void closed(long handle) {
        channels.remove(handle);
    }

    /** Close every login stream, and with it every connection. */
    void close(OmmProvider provider, int streamState, String text) {
        for (Long handle : channels.keySet().toArray(new Long[0])) {
            channels.remove(handle);
            provider.submit(status(streamState, OmmState.StatusCode.NONE, text), handle);
        }
    }

    /** Every login stream stays open, its data is Suspect, or Ok again. */
    void data(OmmProvider provider, int dataState, String text) {
        StatusMsg message = EmaFactory.createStatusMsg().domainType(EmaRdm.MMT_LOGIN)
                .state(OmmState.StreamState.OPEN, dataState, OmmState.StatusCode.NONE, text);
        for (Long handle : channels.keySet()) {
            provider.submit(message, handle);
        }
    }

    /** A Refresh nobody asked for on every login stream, with nothing but what is named: {@code MaxMsgSize=800}. */
    void refresh(OmmProvider provider, String[] words) {
        ElementList limits = EmaFactory.createElementList();
        ElementList attributes = EmaFactory.createElementList();
        for (int i = 2; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            ElementEntry entry = EmaFactory.createElementEntry().uintValue(pair[0], Long.parseLong(pair[1]));
            (pair[0].equals("SupportOMMPost") ? attributes : limits).add(entry);
        }
        for (Long handle : channels.keySet()) {
            RefreshMsg refresh = EmaFactory.createRefreshMsg().domainType(EmaRdm.MMT_LOGIN)
                    .name("contribd")
                    .nameType(EmaRdm.USER_NAME)
                    .state(OmmState.StreamState.OPEN, OmmState.DataState.OK, OmmState.StatusCode.NONE, "changed")
                    .solicited(false)
                    .complete(true);
            if (!attributes.isEmpty()) {
                refresh.attrib(attributes);
            }
            if (!limits.isEmpty()) {
                refresh.payload(limits);
            }
            provider.submit(refresh, handle);
        }
    }

    /** Cut every connection without a word on its login stream. */
    void disconnect(OmmProvider provider) {
        for (Iterator<Long> each = channels.values().iterator(); each.hasNext(); ) {
            long channel = each.next();
            each.remove();
            provider.closeChannel(channel);
        }
    }

    private void accept(OmmProviderEvent event, ReqMsg request) {
        ElementList attributes = EmaFactory.createElementList();
        attributes.add(EmaFactory.createElementEntry().uintValue("SupportOMMPost", 1));
        RefreshMsg refresh = EmaFactory.createRefreshMsg().domainType(EmaRdm.MMT_LOGIN)
                .name(request.hasName() ? request.name() : "")
                .nameType(request.hasNameType() ? request.nameType() : EmaRdm.USER_NAME)
                .state(OmmState.StreamState.OPEN, OmmState.DataState.OK, OmmState.StatusCode.NONE, "Login accepted")
                .solicited(true)
                .complete(true)
                .attrib(attributes);
        ElementList limits = EmaFactory.createElementList();
        if (options.maxMsgSize() != null) {
            limits.add(EmaFactory.createElementEntry().uintValue("MaxMsgSize", options.maxMsgSize()));
        }
        if (options.pingTimeout() != null) {
            limits.add(EmaFactory.createElementEntry().uintValue("PingTimeout", options.pingTimeout()));
        }
        if (!limits.isEmpty()) {
            refresh.payload(limits);
        }
        channels.put(event.handle(), event.clientHandle());
        event.provider().submit(refresh, event.handle());
    }

    private static void refuse(OmmProviderEvent event, ReqMsg request, int code, String text) {
        StatusMsg status = status(OmmState.StreamState.CLOSED, code, text);
        if (request.hasName()) {
            status.name(request.name());
        }
        event.provider().submit(status, event.handle());
    }

    private static StatusMsg status(int streamState, int code, String text) {
        return EmaFactory.createStatusMsg().domainType(EmaRdm.MMT_LOGIN)
                .state(streamState, OmmState.DataState.SUSPECT, code, text);
    }

    private static Map<String, String> elements(ReqMsg request) {
        Map<String, String> elements = new HashMap<>();
        if (request.hasMsgKey() && request.attrib().dataType() == com.refinitiv.ema.access.DataType.DataTypes.ELEMENT_LIST) {
            for (ElementEntry entry : request.attrib().elementList()) {
                elements.put(entry.name(), entry.load().toString());
            }
        }
        return elements;
    }

    private void note(String kind, ReqMsg request, Map<String, String> elements) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("kind", kind);
        entry.put("name", request.hasName() ? request.name() : null);
        entry.put("elements", elements);
        journal.write(entry);
    }
}
