"use strict";
/* Asks contribd every two seconds for one small document, and once for the last ten minutes. Writes text, never markup. */

(() => {
  const EVERY = 2000; // milliseconds between two questions
  const PATIENCE = 6000; // without an answer for so long, what is shown is old
  const KEPT = 600; // seconds of history
  const SPANS = [60, 120, 300, KEPT]; // seconds that charts may show: as many as there are
  const HOUR = 3600;

  const by = (id) => document.getElementById(id);
  const MARKS = { contributing: "✓", degraded: "!", paused: "‖", "not contributing": "✕", stopping: "■" };
  const KINDS = { refused: "bad", unanswered: "bad", rejected: "bad", isolated: "warn", silent: "warn" };
  const STATUSES = { ACK: "good", NAK: "bad", ERROR: "bad", UNANSWERED: "bad", REJECTED: "bad", EXPIRED: "warn", SUPPRESSED: "calm" };
  const CHARTS = [
    ["Results a second", "", [["accepted", "accepted", "good"], ["refused", "refused", "bad"], ["conflated", "conflated", "calm", true], ["unposted", "not posted", "warn", true]]],
    ["Post to answer", "ms", [["ack_p50", "half within", "calm"], ["ack_p99", "99 % within", "warn", true]]],
    ["Price in Kafka to post", "ms", [["delivery_p50", "half within", "calm"], ["delivery_p99", "99 % within", "warn", true]]],
    ["Posts and records in hand", "", [["outstanding", "posts unanswered", "calm"], ["waiting", "records waiting", "warn", true]]],
    ["Records behind in Kafka", "", [["lag", "behind", "warn"]]],
  ];

  let rows = []; // the history, oldest first
  let columns = {}; // name of a column: its place in a row
  let states = [];
  let shown = null; // the last document
  let ahead = 0; // milliseconds that contribd's clock is ahead of this one
  let heard = Date.now(); // when contribd answered last
  let moved = Date.now(); // when its answer was a new document last

  // Words

  const seconds = (time) => Date.parse(time) / 1000;
  const now = () => (Date.now() + ahead) / 1000;
  const count = (value) => (value === null || value === undefined ? "not known" : Number(value).toLocaleString("en"));
  const places = (value) => (value === null ? "–" : value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3))));
  const clock = (time) => {
    const at = new Date(time);
    const today = new Date(Date.now() + ahead).toDateString() === at.toDateString();
    return at.toLocaleString([], { dateStyle: today ? undefined : "medium", timeStyle: "medium", hourCycle: "h23" });
  };
  const span = (given) => {
    const s = Math.max(0, Math.round(given));
    if (s < 60) return `${s} s`;
    if (s < HOUR) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 24 * HOUR) return `${Math.floor(s / HOUR)} h ${Math.floor((s % HOUR) / 60)} min`;
    return `${Math.floor(s / 24 / HOUR)} d ${Math.floor((s % (24 * HOUR)) / HOUR)} h`;
  };
  const ago = (time) => (time ? `${span(now() - seconds(time))} ago` : "");

  // Elements

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.append(text);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const tag = (text, tone = "") => element("span", text, { class: `tag ${tone}` });
  const is = (value) => typeof value === "number";
  // A cell is text, a number, or an element; a column is its title, or nothing where there is no head.
  const fill = (table, titles, lines) => {
    const body = element("tbody");
    for (const line of lines) {
      const row = element("tr");
      line.forEach((cell, place) => {
        const first = place === 0;
        const made = element(first ? "th" : "td", is(cell) ? count(cell) : cell, first ? { scope: "row" } : {});
        if (is(cell)) made.className = "number";
        if (first && table.dataset.ric !== undefined) made.className = "ric";
        if (titles[place]) made.dataset.label = titles[place];
        row.append(made);
      });
      body.append(row);
    }
    const head = element("thead");
    if (titles.length && lines.length) {
      const row = element("tr");
      titles.forEach((title, place) => row.append(element("th", title, { scope: "col", class: is(lines[0][place]) ? "number" : "" })));
      head.append(row);
    }
    table.replaceChildren(head, body);
    if (titles.length && !lines.length && table.dataset.ric === undefined) table.replaceChildren(element("caption", "none"));
  };
  const pairs = (table, lines) => fill(table, [], lines.filter(([, value]) => value !== null && value !== undefined));

  // The verdict

  const showVerdict = (status) => {
    const { state, reason } = status.verdict;
    by("verdict").dataset.state = state;
    by("mark").textContent = MARKS[state] ?? "?";
    if (by("reason").textContent !== reason) {
      by("reason").replaceChildren(element("strong", state), reason.startsWith(state) ? reason.slice(state.length) : `: ${reason}`);
    }
    by("instance").textContent = status.instance;
    document.title = `${MARKS[state] ?? "?"} ${state} - ${status.instance} - contribd`;
    tick();
  };
  const tick = () => {
    if (!shown) return;
    const since = shown.verdict.since;
    by("since").textContent = `for ${span(now() - seconds(since))}, since ${clock(since)}`;
    by("as-of").textContent = `as of ${clock(shown.taken_at)}`;
    const silent = Date.now() - heard;
    const stale = Date.now() - moved > PATIENCE;
    document.body.classList.toggle("is-stale", stale);
    by("stale").hidden = !stale;
    if (stale) {
      const why = silent > PATIENCE
        ? `No answer from contribd since ${clock(heard)}: it has stopped, or cannot be reached from here.`
        : "contribd answers, and shows nothing new.";
      const told = `${why} What you see is as of ${clock(shown.taken_at)}.`;
      if (by("stale").textContent !== told) by("stale").textContent = told;
      document.title = `? nothing new - ${shown.instance} - contribd`;
    }
  };
  const scale = () => {
    const end = rows.length ? rows[rows.length - 1][0] : 0;
    const wide = SPANS.find((each) => rows.length && end - rows[0][0] <= each) ?? KEPT;
    return { wide, at: (time) => 600 - ((end - time) * 600) / wide };
  };
  const showStrip = () => {
    const strip = by("strip");
    const { at } = scale();
    const runs = [];
    for (const row of rows) {
      const last = runs[runs.length - 1];
      if (last && last.state === row[columns.state] && row[0] - last.to < 3) last.to = row[0];
      else runs.push({ state: row[columns.state], from: row[0] - 1, to: row[0] });
    }
    strip.replaceChildren(...runs.map((run) => {
      const x = Math.max(0, at(run.from));
      const part = svg("rect", { x, y: 0, width: Math.max(1, at(run.to) - x), height: 10, "data-state": states[run.state] });
      const title = svg("title", {});
      title.textContent = `${states[run.state]} for ${span(run.to - run.from)}`;
      part.append(title);
      return part;
    }));
    const told = runs.slice(-6).map((run) => `${states[run.state]} for ${span(run.to - run.from)}`).join(", then ");
    strip.setAttribute("aria-label", `The last ten minutes: ${told}`);
  };

  // What is wrong

  const explained = (hint) => {
    const box = element("span", `${hint.meaning} ${hint.cause}`, { class: "hint" });
    box.append(element("span", `${hint.owner}: ${hint.cure}`, { class: "cure" }));
    return box;
  };
  const meaning = (line) => {
    const cell = element("span", [line.code, line.text].filter(Boolean).join(": ") || (line.what === "silent" ? "no record" : ""));
    if (line.hint) cell.append(explained(line.hint));
    return cell;
  };
  const showWrong = (status) => {
    const told = Object.entries(status.wrong_counts).filter(([, many]) => many);
    const all = told.reduce((sum, [, many]) => sum + many, 0);
    const more = all > status.wrong.length ? `; ${count(status.wrong.length)} are listed` : "";
    by("wrong-counts").textContent = told.length
      ? told.map(([what, many]) => `${count(many)} ${what}`).join(", ") + more
      : "Nothing: no RIC is refused, unanswered, rejected, posted by itself or silent.";
    const several = new Set(status.services.map((service) => service.name)).size > 1;
    by("wrong").dataset.ric = "";
    fill(by("wrong"), ["RIC", "What", "Answer", "Since", "Last record"], status.wrong.map((line) => [
      several ? `${line.ric} (${line.service})` : line.ric,
      tag(line.what, KINDS[line.what]),
      meaning(line),
      line.since ? ago(line.since) : "",
      line.last_record_at ? `${ago(line.last_record_at)}${line.source ? `, ${line.source}` : ""}` : "",
    ]));
    for (const head of by("wrong").querySelectorAll("tbody th")) {
      const ric = head.textContent.split(" (")[0];
      head.replaceChildren(element("a", head.textContent, { href: `#ric=${encodeURIComponent(ric)}` }));
    }
  };
  const showPauses = (status) => {
    const pauses = status.pauses ?? [];
    by("pauses-section").hidden = !pauses.length;
    fill(by("pauses"), ["What", "By", "Reason", "Since"], pauses.map((each) => [each.what, each.who, each.reason, ago(each.since)]));
  };

  // The charts

  const makeCharts = () => {
    for (const [title, unit, series] of CHARTS) {
      const figure = element("figure", null, { class: "chart" });
      const caption = element("figcaption");
      caption.append(element("b", unit ? `${title}, ${unit}` : title));
      const picture = svg("svg", { viewBox: "0 0 600 100", preserveAspectRatio: "none", role: "img" });
      const lines = series.map(([column, name, tone, dashed]) => {
        const look = `tone-${tone} ${dashed ? "dashed" : ""}`;
        const legend = element("span", name, { class: `legend ${look}` });
        const path = svg("path", { class: look });
        caption.append(legend);
        picture.append(path);
        return { column, name, legend, path };
      });
      const top = element("span");
      const axis = element("div", null, { class: "axis" });
      const begin = element("span");
      axis.append(begin, top, element("span", "now"));
      figure.append(caption, picture, axis);
      by("charts").append(figure);
      charts.push({ title, unit, lines, picture, top, begin });
    }
  };
  const charts = [];
  const draw = (chart) => {
    const { wide, at } = scale();
    chart.begin.textContent = `${wide / 60} min ago`;
    let top = 0;
    for (const { column } of chart.lines) for (const row of rows) top = Math.max(top, row[columns[column]] ?? 0);
    const told = [];
    for (const { column, name, legend, path } of chart.lines) {
      const place = columns[column];
      let steps = "";
      let before = null; // the time of the point before, where the line goes on
      for (const row of rows) {
        const value = row[place];
        if (value === null) { before = null; continue; }
        const x = at(row[0]);
        const y = 97 - (top ? (value / top) * 92 : 0);
        const joined = before !== null && row[0] - before < 4;
        steps += joined ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h.1`;
        before = row[0];
      }
      path.setAttribute("d", steps);
      const value = rows.length ? rows[rows.length - 1][place] : null;
      legend.textContent = `${name} ${places(value)}`;
      told.push(`${name} ${value === null ? "none" : places(value)}`);
    }
    chart.top.textContent = `most ${places(top)}${chart.unit ? ` ${chart.unit}` : ""}`;
    chart.picture.setAttribute("aria-label", `${chart.title}${chart.unit ? ` in ${chart.unit}` : ""}, the last ten minutes: now ${told.join(", ")}; most ${places(top)}`);
  };
  const showHistory = () => {
    if (!columns.at && columns.at !== 0) return;
    showStrip();
    charts.forEach(draw);
  };
  const learn = (part) => {
    part.columns.forEach((name, place) => { columns[name] = place; });
    states = part.states;
    const last = rows.length ? rows[rows.length - 1][0] : -Infinity;
    const fresh = part.rows.filter((row) => row[0] > last);
    const gap = rows.length && fresh.length && fresh[0][0] - last > 5;
    rows = rows.concat(fresh);
    while (rows.length && rows[rows.length - 1][0] - rows[0][0] > KEPT) rows.shift();
    return !gap;
  };

  // The rest

  const showAds = (status) => {
    fill(by("endpoints"), ["Endpoint", "State", "Last failure", "Next try"], status.endpoints.map((each) => {
      const up = each.state === "open";
      const wait = each.next_try_at ? seconds(each.next_try_at) - now() : null;
      return [
        element("span", each.name, { title: each.endpoint }),
        tag(each.state, up ? "good" : each.state === "not in use" ? "" : "warn"),
        each.last_failure ? `${each.last_failure}${each.failures > 1 ? `, ${count(each.failures)} times` : ""}` : "",
        wait === null ? "" : wait > 0 ? `in ${span(wait)}` : "now",
      ];
    }));
    fill(by("services"), ["Service", "State"], status.services.map((each) => [each.name, tag(each.up ? "Up" : "not Up", each.up ? "good" : "bad")]));
  };
  const showWork = (status) => {
    const lags = status.partitions.map((each) => each.lag);
    const session = status.session;
    pairs(by("work"), [
      ["Posts unanswered", `${count(status.window.outstanding)} of at most ${count(status.window.max)}`],
      ["Records waiting", count(status.records_waiting)],
      ["Records behind in Kafka", lags.includes(null) ? "not known" : count(lags.reduce((sum, lag) => sum + lag, 0))],
      ["Last Ack", status.last_ack_at ? ago(status.last_ack_at) : "never"],
      ["Session", `${session.state} for ${span(now() - seconds(session.since))}`],
      ["Last failure", session.last_failure ? `${session.last_failure} (${ago(session.last_failure_at)})` : null],
      ["Live quotes that a stop would withdraw", status.live_quotes || null],
    ]);
  };
  const showPartitions = (status) => {
    fill(by("partitions"), ["Topic", "Partition", "Position", "Committed", "Behind", "Waiting", ""], status.partitions.map((each) => [
      each.topic, each.partition, each.position ?? "–", each.committed ?? "–", each.lag ?? "not known", each.waiting,
      each.paused ? tag("not fetched", "warn") : "",
    ]));
    const more = status.partitions_in_all - status.partitions.length;
    by("partitions-more").textContent = status.partitions_in_all === 0 ? "None is assigned to this instance." : more > 0 ? `and ${count(more)} more, less far behind` : "";
  };
  const showCounts = (status) => {
    fill(by("results"), ["Status", "Code", "Results"], status.results.map((each) => [tag(each.status, STATUSES[each.status]), each.code, each.count]));
    fill(by("lost"), ["Endpoint", "Reason", "Times"], status.reconnects.map((each) => [each.endpoint, each.reason, each.count]));
  };
  const showRules = (status) => {
    const reload = status.reload;
    const tried = reload && reload.at ? `${reload.ok ? "took effect" : "refused"} ${ago(reload.at)}` : null;
    const errors = reload && !reload.ok && reload.errors ? [].concat(reload.errors).join("; ") : null;
    pairs(by("rules"), [
      ["Version", status.version],
      ["Rules", status.config.slice(0, 12)],
      ["Running for", span(now() - seconds(status.started_at))],
      ["Last reload", tried],
      ["What was wrong with it", errors],
    ]);
  };
  const show = (status) => {
    shown = status;
    ahead = seconds(status.taken_at) * 1000 - Date.now();
    for (const part of [showVerdict, showWrong, showPauses, showAds, showWork, showPartitions, showCounts, showRules]) part(status);
    showHistory();
  };

  // Asking

  const ask = async (path, patience = 10000) => {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (!answer.ok) throw new Error((await answer.text()).trim() || answer.statusText);
    return answer.json();
  };
  const askAgain = async () => {
    try {
      const status = await ask("page.json");
      heard = Date.now();
      if (!shown || status.taken_at !== shown.taken_at) moved = heard;
      if (!learn(status.recent) || !askedForAll) {
        rows = [];
        learn(await ask("history.json"));
        learn(status.recent);
        askedForAll = true;
      }
      show(status);
    } catch (error) {
      if (!shown) by("reason").textContent = "No answer from contribd";
    } finally {
      setTimeout(askAgain, EVERY);
    }
  };
  let askedForAll = false;

  // One RIC

  const stamp = (time) => (time ? `${clock(time)} (${ago(time)})` : null);
  const values = (fields) => {
    const list = element("span");
    for (const [name, value] of Object.entries(fields ?? {})) list.append(element("span", `${name} ${value === null ? "blank" : value}`, { class: "tag" }), " ");
    return list;
  };
  const showResult = (title, result) => {
    const box = document.createDocumentFragment();
    const table = element("table");
    const post = result.posts && result.posts[result.posts.length - 1];
    const answer = element("span");
    answer.append(tag(result.status, STATUSES[result.status]), " ", [result.code, result.text].filter(Boolean).join(": "));
    if (result.hint) answer.append(explained(result.hint));
    pairs(table, [
      ["Result", answer],
      ["Values", result.fields ? values(result.fields) : null],
      ["Record", result.source ? `${result.source.topic}:${result.source.partition}:${result.source.offset}` : result.withdrawal ? "none: the quote was withdrawn" : null],
      ["Record's timestamp", result.source ? stamp(result.source.timestamp) : null],
      ["Posted", post ? `${stamp(post.sent_at)} as ${post.type} ${post.post_id} to ${post.endpoint}` : "not posted"],
      ["Answered", post ? (post.answered_at ? `${stamp(post.answered_at)}: ${[post.answer, post.code, post.text].filter(Boolean).join(", ")}` : post.answer) : null],
      ["Carried by", result.carried_by ? `${result.carried_by.topic}:${result.carried_by.partition}:${result.carried_by.offset}` : null],
      ["Mapping", result.mapping],
    ]);
    box.append(element("h3", title), table);
    return box;
  };
  const showFound = (told, place) => {
    const box = by("found");
    box.replaceChildren();
    for (const each of told.found) {
      box.append(showResult(`${told.ric}, service ${each.service}`, each.result));
      if (each.posted) box.append(showResult("Posted last", each.posted));
    }
    if (!told.found.length) box.append(element("p", `Nothing is known of ${told.ric}.`));
    box.append(element("p", told.looked, { class: "quiet" }));
    if (place === "memory") {
      const further = element("button", "Look in the results topic", { type: "button", class: "plain" });
      further.addEventListener("click", () => search(told.ric, "topic"));
      box.append(further);
    }
  };
  const search = async (ric, place = "memory") => {
    by("ric").value = ric;
    const where = place === "topic" ? " in the results topic" : "";
    by("found").replaceChildren(element("p", `Looking for ${ric}${where} …`, { class: "quiet" }));
    try {
      showFound(await ask(`search?ric=${encodeURIComponent(ric)}&in=${place}`, 30000), place);
    } catch (error) {
      by("found").replaceChildren(element("p", `The search failed: ${error.message}`, { class: "stale" }));
    }
  };
  const followHash = () => {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("ric");
    if (wanted) {
      search(wanted);
      by("search").scrollIntoView({ block: "nearest" });
    }
  };
  by("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const ric = by("ric").value.trim();
    if (!ric) return;
    const hash = `#ric=${encodeURIComponent(ric)}`;
    if (location.hash === hash) search(ric);
    else location.hash = hash;
  });
  window.addEventListener("hashchange", followHash);

  makeCharts();
  askAgain();
  setInterval(tick, 1000);
  followHash();
})();
