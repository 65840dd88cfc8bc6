"""``contribd run``: the daemon."""

import signal

import typer

from contribd.cli.common import ConfigOption
from contribd.config.errors import ConfigError
from contribd.config.failed_tests import failed_tests
from contribd.config.load import load
from contribd.ops import log
from contribd.ops.http import ListenError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def run(config: ConfigOption = None) -> None:
    """The daemon: posts prices from Kafka to the ADS and writes each answer to the results topic.

    Where a test of the mappings fails, nothing is started (exit code 78). Ends on SIGTERM or SIGINT, after outstanding
    answers are in and written; a second signal ends it at once.
    """
    # A reload that is asked for before the worker can take it waits for it; by default SIGHUP would end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    loaded = load(config)
    if problems := [*failed_tests(loaded)]:
        raise ConfigError(problems)
    settings = loaded.settings
    log.configure(settings.log.level, settings.log.format, secrets=sorted(loaded.secrets))
    log.report_uncaught()
    # Imported after the configuration is known to be right: the Kafka client alone takes most of the start-up time.
    from contribd.worker import Worker

    try:
        worker = Worker(loaded)
    except ListenError as error:
        log.get_logger("run").error(str(error))
        raise typer.Exit(1) from None
    del loaded  # the worker knows what is in force: a reload frees what it replaces
    raise typer.Exit(worker.run())
