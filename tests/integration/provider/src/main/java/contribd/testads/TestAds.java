package contribd.testads;

import com.refinitiv.ema.access.EmaFactory;
import com.refinitiv.ema.access.GenericMsg;
import com.refinitiv.ema.access.Msg;
import com.refinitiv.ema.access.OmmIProviderConfig;
import com.refinitiv.ema.access.OmmProvider;
import com.refinitiv.ema.access.OmmProviderClient;
import com.refinitiv.ema.access.OmmProviderErrorClient;
import com.refinitiv.ema.access.OmmProviderEvent;
import com.refinitiv.ema.access.OmmState;
import com.refinitiv.ema.access.PostMsg;
import com.refinitiv.ema.access.ProviderSessionInfo;
import com.refinitiv.ema.access.RefreshMsg;
import com.refinitiv.ema.access.ReqMsg;
import com.refinitiv.ema.access.StatusMsg;
import com.refinitiv.ema.rdm.EmaRdm;
import java.io.IOException;

/** An interactive provider that takes posts over tr_json2 as an ADS does, and answers them as the tests wish. */
final class TestAds implements OmmProviderClient, OmmProviderErrorClient {

    private static final long LOOP_MICROS = 5_000;

    private final Login login;
    private final Posts posts;
    private final boolean closing;

    private TestAds(Login login, Posts posts, boolean closing) {
        this.login = login;
        this.posts = posts;
        this.closing = closing;
    }

    public static void main(String[] arguments) throws IOException {
        Options options = Options.parse(arguments);
        try (Journal journal = new Journal(options.journal())) {
            Services services = new Services(options.services());
            Rules rules = new Rules(options.delayMillis());
            Login login = new Login(options, journal);
            Posts posts = new Posts(journal, rules, services);
            TestAds ads = new TestAds(login, posts, options.closing());
            OmmIProviderConfig config = EmaFactory.createOmmIProviderConfig(options.config().toString())
                    .operationModel(OmmIProviderConfig.OperationModel.USER_DISPATCH);
            OmmProvider provider = EmaFactory.createOmmProvider(config, ads, ads);
            Control control = new Control(services, login, rules);
            control.listen();
            System.out.println("READY");
            System.out.flush();
            while (!control.ended()) {
                ads.turn(provider, control);
            }
            provider.uninitialize();
        }
    }

    private void turn(OmmProvider provider, Control control) {
        try {
            provider.dispatch(posts.sendDue(provider, LOOP_MICROS));
            control.carryOut(provider);
        } catch (RuntimeException e) {
            // Some input makes EMA itself fail; without this the port would stay open and nobody be served.
            e.printStackTrace();
        }
    }

    @Override
    public void onReqMsg(ReqMsg request, OmmProviderEvent event) {
        if (request.domainType() == EmaRdm.MMT_LOGIN) {
            login.requested(request, event);
            return;
        }
        StatusMsg status = EmaFactory.createStatusMsg().domainType(request.domainType())
                .state(OmmState.StreamState.CLOSED, OmmState.DataState.SUSPECT, OmmState.StatusCode.NOT_FOUND,
                        "only posts are taken here");
        event.provider().submit(status, event.handle());
    }

    @Override
    public void onReissue(ReqMsg request, OmmProviderEvent event) {
        if (request.domainType() == EmaRdm.MMT_LOGIN) {
            login.reissued(request);
        }
    }

    @Override
    public void onPostMsg(PostMsg post, OmmProviderEvent event) {
        posts.received(post, event);
    }

    @Override
    public void onClose(ReqMsg request, OmmProviderEvent event) {
        if (request.domainType() == EmaRdm.MMT_LOGIN) {
            login.closed(event.handle());
        }
    }

    @Override
    public void onInvalidHandle(long handle, String text) {
        System.err.println("handle " + handle + ": " + text);
    }

    @Override
    public void onInvalidUsage(String text, int code) {
        // EMA reports here what it would have thrown without an error client; an order that fails must say so.
        throw new IllegalStateException(text);
    }

    @Override
    public void onJsonConverterError(ProviderSessionInfo session, int code, String text) {
        System.err.println("conversion: " + text);
        if (closing) {
            session.getProvider().closeChannel(session.getClientHandle());
        }
    }

    @Override
    public void onRefreshMsg(RefreshMsg message, OmmProviderEvent event) {}

    @Override
    public void onStatusMsg(StatusMsg message, OmmProviderEvent event) {}

    @Override
    public void onGenericMsg(GenericMsg message, OmmProviderEvent event) {}

    @Override
    public void onAllMsg(Msg message, OmmProviderEvent event) {}
}
