// All steps as a table, below the tape.

/** All steps as a table, made when it is opened: {element, refill()}. */
function ledger(state) {
  const { steps } = state.payload;
  const element = h('details', { class: 'ledger' }, h('summary', {}, `All ${steps.length - 1} steps as a table`));
  const head = ['step', 'pass', 'operation', 'formula', 'what happens', 'source'];
  const refill = () => {
    const old = element.querySelector('table');
    if (old) old.remove();
    if (!element.open) return;
    element.append(h('table', {}, h('thead', {}, h('tr', {}, head.map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, steps.map((_, k) => ledgerRow(state, k)))));
  };
  element.addEventListener('toggle', refill);
  return { element, refill };
}

function ledgerRow(state, k) {
  const step = state.stepAt(k);
  const [left, sign] = step.formula ? step.formula.plain.split(/( \+?= )/) : [''];
  const kind = step.phase === 'forward' ? 'value' : 'gradient';
  const origin = step.formula && originOf(state, kind, step.target);
  const formula = step.formula ? [link(state, origin, left), sign, step.formula.plain.slice(left.length + sign.length)] : '';
  const cells = [step.phase, step.title.replace(/^[A-Z]+\s+/, ''), formula, step.sentence, step.source];
  const go = h('button', { type: 'button', onclick: () => state.goto(k) }, String(k));
  return h('tr', {}, h('td', {}, go), cells.map((text) => h('td', {}, text || '')));
}
