// The quiz: the result of a step is hidden until its number is typed.

/** Puts a step's question, or what became of it, under the panel's heading; a step with nothing to ask hides nothing. */
function quizFor(payload, state, step, panel) {
  const asked = questionOf(payload, state, step);
  const done = state.answered.has(state.step);
  if (!asked && !done) {
    state.answered.add(state.step);
    state.refresh();
  } else if (asked) {
    const score = recall(state, 'quiz', { right: new Set(), revealed: new Set() });
    panel.querySelector('h3').after(done ? answeredBox(state, asked, score) : questionBox(state, asked, score));
  }
}

function questionBox(state, asked, score) {
  const out = h('p', { class: 'note', role: 'status' });
  const field = h('input', { type: 'text', inputmode: 'text', autocomplete: 'off', size: 10, 'aria-label': `${asked.label} = ?` });
  const done = (list) => {
    list.add(state.step);
    state.answered.add(state.step);
    state.refresh();
    state.say(`${asked.label} = ${number(asked.answer)}. ${scoreText(score)}`);
  };
  const form = h('form', { class: 'quiz', 'data-keys': '', onsubmit: (event) => {
    event.preventDefault();
    const typed = typedNumber(field.value);
    if (typed === null) out.textContent = 'Type a number: −0.25, 3e-4, 1/3, NaN or Inf.';
    else if (closeEnough(typed, asked.answer, asked.grain)) done(score.right);
    else out.textContent = `Not ${number(typed)}. ${nearness(typed, asked.answer)}`;
  } },
  h('label', {}, asked.label, ' = ', field), h('button', { type: 'submit' }, 'Check'),
  h('button', { type: 'button', onclick: () => out.replaceChildren(asked.hint()) }, 'Hint'),
  h('button', { type: 'button', onclick: () => done(score.revealed) }, 'Reveal'),
  h('span', { class: 'score' }, scoreText(score)), out);
  return form;
}

function answeredBox(state, asked, score) {
  const right = score.right.has(state.step);
  return h('p', { class: 'quiz', role: 'status' }, h('span', { class: right ? 'same' : 'differs' }, right ? '✔ right' : 'revealed'),
    `: ${asked.label} = ${number(asked.answer)}. `, h('span', { class: 'score' }, scoreText(score)));
}

function scoreText({ right, revealed }) {
  return right.size + revealed.size ? `${right.size} of ${right.size + revealed.size} right` : '';
}

/** What is asked at a step: {label, answer, grain, hint()}; null where the page has no number for it. */
function questionOf(payload, state, step) {
  const backward = step.phase !== 'forward';
  const index = backward && step.contribution != null ? step.contribution : step.after;
  if (step.phase === 'start' || index == null) return null;
  const result = state.array(index);
  if (!result.data || !result.size) return null;
  const flat = result.size === 1 ? 0 : askedElement(result, state.step);
  const at = position(flat, result.shape);
  const place = result.size === 1 ? '' : `[${at.join(', ')}]`;
  const node = payload.nodes[step.target];
  const [k, n] = step.part || [1, 1];
  const share = backward && n > 1 ? `contribution ${k} of ${n} to ` : '';
  const label = `${share}${backward ? node.grad : node.name}${place}`;
  return { label, answer: result.data[flat], grain: grain(result), hint: () => hintFor(state, step, result, at) };
}

/** The same element at every visit of a step; one that is neither 0 nor lost in 16 bits, if there is one. */
function askedElement(result, step) {
  const start = (step * 7919 + 3) % result.size;
  for (let i = 0; i < result.size; i++) {
    const flat = (start + i) % result.size;
    if (Math.abs(result.data[flat]) > 200 * grain(result)) return flat;
  }
  return start;
}

/** The formula, and the numbers that go into it at the element asked for. */
function hintFor(state, step, result, at) {
  const { formula } = step;
  if (!formula) return 'There is no formula for this step.';
  const place = at.length && result.size > 1 ? `[${at.join(', ')}]` : '';
  const single = result.size === 1 && !state.payload.frames && formula.numbers;
  const put = (formula.symbols || []).map(({ array, name }) => {
    const symbol = state.array(array);
    if (!symbol.data) return null;
    if (symbol.size === 1) return `${name} = ${number(symbol.data[0])}`;
    const fits = String(symbol.shape) === String(result.shape);
    return fits ? `${name}${place} = ${number(symbol.data[flatIndex(at, symbol.shape)])}` : null;
  }).filter(Boolean);
  const sum = step.terms && termsHint(step, state, at);
  return `${formula.plain}${single ? ` = ${formula.numbers}` : ''}${put.length && !single ? `, with ${[...new Set(put)].join(', ')}` : ''}${sum || ''}`;
}

function termsHint(step, state, at) {
  const { terms } = step;
  if (termArrays(step).some((index) => index == null || !state.array(index).data)) return '';
  const { top, others, rest } = largestTerms(elementTerms(terms, state, at) || []);
  const shown = top.map(({ factors }) => factors.map(bracketed).join(' × ')).join(' + ');
  return top.length ? `: ${shown}${others ? ` + ${bracketed(rest)} (${counted(others)} more)` : ''}` : '';
}

/** What was typed as a number: also 0,25 and 1/3 and with a real minus sign; null if it is none. */
function typedNumber(text) {
  const plain = text.trim().replace(/−/g, '-').replace(/^([-+]?\d*),(\d+)$/, '$1.$2').toLowerCase();
  const special = { nan: NaN, inf: Infinity, '+inf': Infinity, '∞': Infinity, '-inf': -Infinity, '-∞': -Infinity };
  if (plain in special) return special[plain];
  const [top, bottom = '1', more] = plain.split('/');
  const decimal = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/;
  return more === undefined && decimal.test(top) && decimal.test(bottom) ? Number(top) / Number(bottom) : null;
}

/** Two significant digits, or 1 %. */
function closeEnough(typed, answer, slack = 0) {
  if (!Number.isFinite(answer)) return Object.is(typed, answer);
  if (Math.abs(answer) <= slack || answer === 0) return Math.abs(typed) <= Math.max(slack, 1e-12);
  const half = 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(answer))) - 1);
  return Math.abs(typed - answer) <= Math.max(0.01 * Math.abs(answer), half, slack) * (1 + 1e-9);
}

/** What is wrong with an answer, without giving it away. */
function nearness(typed, answer) {
  if (Number.isFinite(answer) && typed && Math.abs(typed + answer) <= 0.02 * Math.abs(answer)) return 'Look at the sign.';
  if (!Number.isFinite(answer)) return 'It is not a finite number.';
  return 'Try again, or take the hint.';
}
