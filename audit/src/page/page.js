'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text is never read as markup. */
function make(tag, attributes = {}, ...children) {
  const svg = ['svg', 'g', 'rect', 'text', 'path', 'line', 'title', 'defs', 'marker'].includes(tag);
  const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ''));
  return element;
}

const plural = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;
const trialsOf = (site) => data.trials.filter((trial) => trial.site === site.name);

function answer() {
  const count = (verdict) => data.trials.filter((trial) => trial.verdict === verdict).length;
  const failed = data.baselines.filter((baseline) => baseline.faults.length > 0).length;
  const bounded = data.baselines.filter((baseline) => baseline.preemptions !== null).length;
  const scenarios = new Set(data.baselines.map((baseline) => baseline.scenario)).size;
  document.querySelector('h1').textContent = `Orderings of ${data.subject}`;
  byId('answer').append(
    make('h2', {}, 'The answer'),
    make('ul', {},
      make('li', {}, `${plural(data.sites.length, 'site')}, ${plural(data.trials.length, 'one-step weakening')}: `,
        make('b', {}, `${count('Killed')} killed, ${count('Survived')} survived, ${count('Blind')} blind, ${count('Exhausted')} exhausted`), '.'),
      make('li', {}, `${plural(scenarios, 'scenario')}, ${plural(data.baselines.length, 'exploration')}, ${bounded} within a bound: `,
        make('b', { class: failed ? 'wrong' : 'Killed' }, failed ? `${failed} fail` : 'all do as they claim'), '.'),
      make('li', {}, 'Not seen: what no scenario does, and load buffering, which the language allows for relaxed accesses.')));
}

function sites() {
  const body = document.querySelector('#sites tbody');
  const wanted = byId('filter').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [];
  for (const site of data.sites) {
    const trials = trialsOf(site);
    if (byId('tried').checked && trials.length === 0) continue;
    for (const trial of trials.length ? trials : [null]) {
      const cells = [site.name, site.operation, site.ordering, site.serves.join(', '), trial ? trial.to : 'nothing is',
        trial ? trial.verdict : '', trial?.by ?? '', trial?.rule ?? ''];
      const text = [...cells, site.because].join(' ').toLowerCase();
      if (!wanted.every((word) => text.includes(word))) continue;
      const open = () => { show(site, trial); mark(row); };
      const row = make('tr', { tabindex: 0, role: 'button', 'data-site': site.name, onclick: open,
        onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); open(); } } });
      cells.forEach((cell, at) => row.append(make('td', { class: at === 5 ? cell : at === 0 || at === 6 ? 'mono' : null }, cell)));
      rows.push(row);
    }
  }
  body.replaceChildren(...rows);
  byId('count').textContent = `${rows.length} shown`;
}

function mark(row) {
  document.querySelectorAll('#sites tr.open').forEach((other) => other.classList.remove('open'));
  row.classList.add('open');
}

let viewer = null;

function show(site, trial) {
  viewer = null;
  const detail = byId('detail');
  const clauses = site.serves.map((id) => make('li', {}, make('b', {}, `serves ${id}`), `: ${data.clauses[id] ?? ''}`));
  const head = trial ? `${site.name}: ${trial.from} → ${trial.to}` : site.name;
  detail.replaceChildren(make('h2', {}, head), make('ul', {},
    make('li', {}, make('b', {}, `why ${site.ordering}`), `: ${site.because}`), ...clauses,
    site.dotnet ? make('li', {}, make('b', {}, '.NET'), `: ${site.dotnet}`) : '',
    trial ? make('li', {}, make('b', { class: trial.verdict }, trial.verdict.toLowerCase()),
      trial.by ? ` by ${trial.by} (${trial.explorer}, execution ${trial.executions})` : '',
      trial.rule ? `, which breaks ${trial.rule}` : '', `: ${trial.message}`) : '',
    trial ? make('li', {}, 'scenarios that fail: ', trial.seen.map(([explorer, n]) => `${n} under ${explorer}`).join(', ')) : ''));
  if (trial?.example) execution(detail, trial.example);
  detail.hidden = false;
  detail.scrollIntoView({ block: 'nearest' });
}

/** A failing execution: the drawing, the steps, the source. */
function execution(into, example) {
  const { picture } = example;
  into.append(make('p', {}, make('code', {}, example.command)));
  if (picture.rows.length === 0) {
    into.append(make('pre', { class: 'trace' }, example.trace));
    return;
  }
  const slider = make('input', { type: 'range', min: 0, max: picture.rows.length - 1, 'aria-label': 'step' });
  const said = make('span', { role: 'status' });
  const buttons = [['«', 'first (Home)', () => 0], ['◀', 'back (←)', (at) => at - 1], ['▶', 'on (→)', (at) => at + 1],
    ['»', 'last (End)', () => picture.rows.length - 1]]
    .map(([label, title, to]) => make('button', { title, onclick: () => go(to(viewer.at)) }, label));
  const source = make('pre', { class: 'source' });
  const drawing = make('div', { class: 'drawing' });
  into.append(make('div', { class: 'steps' }, ...buttons, slider, said), legend(),
    make('div', { class: 'execution' }, drawing, source), make('details', {}, make('summary', {}, 'as text'),
      make('pre', { class: 'trace' }, example.trace)));
  const drawn = draw(picture, (at) => go(at));
  drawing.append(drawn.svg);

  function go(at) {
    viewer.at = Math.max(0, Math.min(picture.rows.length - 1, at));
    slider.value = viewer.at;
    const here = picture.rows[viewer.at];
    drawn.rows.forEach((group, place) => {
      group.classList.toggle('later', place > viewer.at);
      group.classList.toggle('here', place === viewer.at);
      group.classList.toggle('before', place < viewer.at && happensBefore(picture.rows[place], here, place, viewer.at));
    });
    drawn.lines.forEach(({ path, relation }) => path.classList.toggle('later', Math.max(relation.from, relation.to) > viewer.at));
    said.textContent = `step ${viewer.at + 1} of ${picture.rows.length}: thread ${here.thread} ${here.text}`;
    lines(source, here, picture.rows.slice(0, viewer.at).findLast((row) => row.thread === here.thread && row.place));
    drawn.rows[viewer.at].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
  slider.addEventListener('input', () => go(Number(slider.value)));
  viewer = { at: 0, go };
  go(picture.rows.length - 1);
}

/** Whether the row at `place` happens before the one at `at`. */
function happensBefore(row, other, place, at) {
  return row.thread === other.thread ? place < at : row.events <= other.knows[row.thread];
}

function legend() {
  const entry = (kind, text) => make('span', {}, make('svg', { width: 34, height: 10 }, make('path', { class: kind, d: 'M0 5H34' })), ` ${text}`);
  return make('p', { class: 'legend' }, entry('reads-from', 'reads from'), entry('synchronizes-with', 'synchronizes with'),
    entry('thread', 'start or join'), entry('wrong-line', 'what is wrong'), 'tinted: happens before the step shown');
}

function draw(picture, go) {
  const [high, gap, head, letter] = [26, 12, 28, 7.9];
  const widths = Array(picture.threads).fill(120);
  picture.rows.forEach((row) => { widths[row.thread] = Math.max(widths[row.thread], Math.min(row.text.length, 64) * letter + 20); });
  const left = widths.map((_, thread) => 12 + widths.slice(0, thread).reduce((sum, width) => sum + width + 46, 0));
  const total = { width: left.at(-1) + widths.at(-1) + 60, height: head + picture.rows.length * (high + gap) + 10 };
  const svg = make('svg', { width: total.width, height: total.height, role: 'img', 'aria-label': 'the failing execution' });
  const top = (at) => head + at * (high + gap);
  widths.forEach((width, thread) => {
    const middle = left[thread] + width / 2;
    svg.append(make('text', { x: left[thread], y: 16, class: 'head' }, `thread ${thread}`),
      make('line', { class: 'lane', x1: middle, x2: middle, y1: head - 4, y2: total.height }));
  });
  const rows = picture.rows.map((row, at) => {
    const text = row.text.length > 64 ? `${row.text.slice(0, 63)}…` : row.text;
    const place = row.place ? `\n${row.place[0]}:${row.place[1]}` : '';
    const group = make('g', { class: `row${row.wrong ? ' bad' : ''}`, onclick: () => go(at) },
      make('title', {}, row.text + place),
      make('rect', { class: 'box', x: left[row.thread], y: top(at), width: widths[row.thread], height: high, rx: 5 }),
      make('text', { x: left[row.thread] + 9, y: top(at) + 18 }, text));
    return group;
  });
  const lines = picture.relations.map((relation) => {
    const [a, b] = [picture.rows[relation.from], picture.rows[relation.to]];
    const [y1, y2] = [top(relation.from) + high / 2, top(relation.to) + high / 2];
    const right = left[a.thread] <= left[b.thread];
    const same = a.thread === b.thread;
    const x1 = left[a.thread] + (right || same ? widths[a.thread] : 0);
    const x2 = left[b.thread] + (right && !same ? 0 : widths[b.thread]);
    const bend = same ? 34 : Math.max(26, Math.abs(x2 - x1) / 2);
    const [c1, c2] = [x1 + (right || same ? bend : -bend), x2 + (right && !same ? -bend : bend)];
    const kind = relation.kind === 'wrong' ? 'wrong-line' : relation.kind;
    const tip = right && !same ? -1 : 1;
    const arrow = kind === 'wrong-line' ? '' : `M${x2 + 7 * tip} ${y2 - 4}L${x2} ${y2}L${x2 + 7 * tip} ${y2 + 4}`;
    const path = make('path', { class: kind, d: `M${x1} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2} ${y2}${arrow}` });
    return { path, relation };
  });
  svg.append(...rows, ...lines.map(({ path }) => path));
  return { svg, rows, lines };
}

/** The source around a row's place; for one that has none, around that of its thread's last one before it. */
function lines(into, row, before) {
  const place = row.place ?? before?.place;
  if (!place) { into.replaceChildren('the explorer itself does this'); return; }
  const [file, number] = place;
  const head = row.place ? `${file}:${number}\n\n` : `after ${file}:${number}\n\n`;
  const text = data.files[file];
  if (text === undefined) { into.replaceChildren(head); return; }
  const all = text.split('\n');
  const [from, to] = [Math.max(0, number - 12), Math.min(all.length, number + 11)];
  const shown = all.slice(from, to).map((line, at) => make('span', { class: from + at + 1 === number ? 'here' : null },
    `${String(from + at + 1).padStart(4)}  ${line}\n`));
  into.replaceChildren(head, ...shown);
}

function scenarios() {
  document.querySelector('#scenarios tbody').replaceChildren(...data.baselines.map((baseline) => make('tr', { title: baseline.about },
    ...[baseline.scenario, baseline.rules.join(', '), baseline.threads || '', baseline.explorer + (baseline.evidence ? '' : ' (not evidence)'),
      baseline.preemptions === null ? 'unbounded' : plural(baseline.preemptions, 'preemption'), baseline.executions, baseline.abandoned]
      .map((cell, at) => make('td', { class: at === 0 ? 'mono' : null }, String(cell))),
    make('td', { class: 'wrong' }, baseline.faults.join('; ')))));
}

function contract() {
  const entries = Object.entries(data.clauses);
  document.querySelector('#contract dl').append(...entries.flatMap(([id, words]) => [make('dt', {}, id), make('dd', {}, words)]));
  byId('contract').hidden = entries.length === 0;
}

function theme(dark) { document.documentElement.classList.toggle('dark', dark); }

byId('theme').addEventListener('click', () => theme(!document.documentElement.classList.contains('dark')));
byId('filter').addEventListener('input', sites);
byId('tried').addEventListener('change', sites);
document.addEventListener('keydown', (event) => {
  if (event.target.matches('input[type=search]')) { if (event.key === 'Escape') { event.preventDefault(); event.target.blur(); } return; }
  const steps = { ArrowLeft: () => viewer.at - 1, ArrowRight: () => viewer.at + 1, Home: () => 0, End: () => Infinity };
  if (event.key === '/') { event.preventDefault(); byId('filter').focus(); }
  else if (event.key === 't') byId('theme').click();
  else if (event.key === 'Escape') { byId('detail').hidden = true; viewer = null; }
  else if (viewer && event.key in steps) { event.preventDefault(); viewer.go(steps[event.key]()); }
});
theme(window.matchMedia?.('(prefers-color-scheme: dark)').matches ?? false);
answer(); sites(); scenarios(); contract();
