package contribd.testads;

import com.refinitiv.ema.access.ElementList;
import com.refinitiv.ema.access.EmaFactory;
import com.refinitiv.ema.access.FilterEntry;
import com.refinitiv.ema.access.FilterList;
import com.refinitiv.ema.access.Map;
import com.refinitiv.ema.access.MapEntry;
import com.refinitiv.ema.access.OmmArray;
import com.refinitiv.ema.access.OmmProvider;
import com.refinitiv.ema.rdm.EmaRdm;
import java.util.LinkedHashMap;
import java.util.List;

/** The services offered and their states; a change goes out to every client that follows the source directory. */
final class Services {

    /** NOT_ACCEPTING: the service is up, and new requests are not accepted. */
    enum State { UP, DOWN, NOT_ACCEPTING, UNKNOWN }

    private final java.util.Map<Integer, State> states = new LinkedHashMap<>();
    private final java.util.Map<String, Integer> ids = new LinkedHashMap<>();

    Services(List<Options.Service> services) {
        for (Options.Service service : services) {
            ids.put(service.name(), service.id());
            states.put(service.id(), State.UP);
        }
    }

    State state(int id) {
        return states.getOrDefault(id, State.UNKNOWN);
    }

    /** The name is the first service's where it is empty. */
    void change(OmmProvider provider, String name, String change) {
        String service = name.isEmpty() ? ids.keySet().iterator().next() : name;
        Integer id = ids.get(service);
        if (id == null) {
            throw new IllegalArgumentException("no service " + service + ", there are " + ids.keySet());
        }
        State state = switch (change) {
            case "up" -> State.UP;
            case "down" -> State.DOWN;
            case "notaccepting" -> State.NOT_ACCEPTING;
            case "delete" -> State.UNKNOWN;
            default -> throw new IllegalArgumentException("service " + change + ": up, down, notaccepting or delete");
        };
        boolean added = state(id) == State.UNKNOWN;
        Map entries = EmaFactory.createMap();
        if (state == State.UNKNOWN) {
            // EMA refuses a directory map that is not one of filter lists, even where no entry carries one.
            entries.add(EmaFactory.createMapEntry()
                    .keyUInt(id, MapEntry.MapAction.DELETE, EmaFactory.createFilterList()));
        } else {
            int action = added ? MapEntry.MapAction.ADD : MapEntry.MapAction.UPDATE;
            entries.add(EmaFactory.createMapEntry().keyUInt(id, action, filters(service, state, added)));
        }
        provider.submit(EmaFactory.createUpdateMsg().domainType(EmaRdm.MMT_DIRECTORY).payload(entries), 0);
        states.put(id, state);
    }

    private static FilterList filters(String service, State state, boolean added) {
        FilterList filters = EmaFactory.createFilterList();
        if (added) {
            filters.add(EmaFactory.createFilterEntry()
                    .elementList(EmaRdm.SERVICE_INFO_ID, FilterEntry.FilterAction.SET, info(service)));
        }
        ElementList elements = EmaFactory.createElementList();
        elements.add(EmaFactory.createElementEntry().uintValue("ServiceState", state == State.DOWN ? 0 : 1));
        elements.add(EmaFactory.createElementEntry().uintValue("AcceptingRequests", state == State.UP ? 1 : 0));
        filters.add(EmaFactory.createFilterEntry().elementList(
                EmaRdm.SERVICE_STATE_ID, added ? FilterEntry.FilterAction.SET : FilterEntry.FilterAction.UPDATE, elements));
        return filters;
    }

    private static ElementList info(String service) {
        OmmArray capabilities = EmaFactory.createOmmArray();
        capabilities.add(EmaFactory.createOmmArrayEntry().uintValue(EmaRdm.MMT_MARKET_PRICE));
        ElementList elements = EmaFactory.createElementList();
        elements.add(EmaFactory.createElementEntry().ascii("Name", service));
        elements.add(EmaFactory.createElementEntry().array("Capabilities", capabilities));
        return elements;
    }
}
