// The chain rule of one parameter: each factor leads to its step, those of the step shown are lit.

/** {element, update()}; nothing where the payload has no chains. */
function chainRow(state) {
  const { chains, nodes } = state.payload;
  if (!chains) return { element: null, update() {} };
  const { factors, of, left } = chains;
  let [at, chosen] = [0, false];
  const list = h('select', { 'aria-label': 'The chain rule for', onchange: () => {
    [at, chosen] = [Number(list.value), true];
    draw();
  } }, of.map(({ node }, i) => h('option', { value: i }, nodes[node].grad)));
  const product = h('div', { class: 'product' });
  const line = h('div', { class: 'products' }, product, h('span', { class: 'copy' }));
  const element = h('section', { class: 'chain', 'aria-label': 'Chain rule' },
    of.length > 1 ? list : h('span', {}, nodes[of[0].node].grad), line, left && h('small', {}, left));

  function draw() {
    const { terms, more } = of[at];
    list.value = at;
    const sign = (text) => h('span', { class: 'sign' }, text);
    const factor = (i) => link(state, factors[i].steps[factors[i].steps.length - 1], null, {
      element: h('button', { type: 'button', class: 'factor', 'data-factor': i }, mathml(factors[i].ml) || factors[i].plain),
      label: `${factors[i].plain}, steps ${stretch(factors[i].steps)}`,
    });
    const products = terms.map((term, i) => h('span', { class: 'term' }, sign(i ? '+' : '='),
      term.flatMap((one, j) => (j ? [sign('·'), factor(one)] : [factor(one)]))));
    product.replaceChildren(...products, more ? sign(`+ … ${more} more`) : '');
    line.lastChild.replaceWith(copying(state, written('latex', ' \\cdot ', '\\ldots'), written('plain', ' · ', '…')));
    roving(line);
    light();
  }

  /** The chain shown, as text in one of the two writings. */
  function written(kind, dot, dots) {
    const { node, latex, terms, more } = of[at];
    const products = terms.map((term) => term.map((i) => factors[i][kind]).join(dot));
    return `${kind === 'latex' ? latex : nodes[node].grad} = ${[...products, ...(more ? [dots] : [])].join(' + ')}`;
  }

  const holds = (members, { terms }) => terms.flat().some((i) => factors[i].steps.some((k) => members.includes(k)));

  function light() {
    const members = state.members();
    for (const button of product.querySelectorAll('.factor')) {
      const on = factors[Number(button.dataset.factor)].steps.some((k) => members.includes(k));
      button.classList.toggle('lit', on);
      if (on) button.setAttribute('aria-current', 'step');
      else button.removeAttribute('aria-current');
    }
    const lit = product.querySelector('.lit');
    if (!lit) return;
    const [part, room] = [lit.getBoundingClientRect(), product.getBoundingClientRect()];
    if (part.left < room.left || part.right > room.right) product.scrollLeft += part.left - room.left - room.width / 3;
    if (part.top < room.top || part.bottom > room.bottom) product.scrollTop += part.top - room.top - 4;
  }

  /** The chain that the step is in, unless one was chosen: that of what receives, else the one shown, else the first. */
  function update() {
    const members = state.members();
    const receives = members.map((k) => state.payload.steps[k].target);
    const own = of.findIndex((chain) => receives.includes(chain.node) && holds(members, chain));
    const next = own >= 0 ? own : holds(members, of[at]) ? at : of.findIndex((chain) => holds(members, chain));
    if (chosen || next < 0 || next === at) return light();
    at = next;
    return draw();
  }

  draw();
  return { element, update };
}

function stretch(steps) {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  return first === last ? String(first) : `${first}–${last}`;
}
