// One tab stop for many: ↑ and ↓ move the focus among them, Tab leads out; ← and → step, wherever the focus is.

/** Items of an element, asked for anew each time; returns a function that says at which one Tab leads in. */
function oneStop(element, items) {
  const enter = (item) => {
    for (const other of items()) other.setAttribute('tabindex', other === item ? 0 : -1);
  };
  element.addEventListener('focusin', ({ target }) => items().includes(target) && enter(target));
  element.addEventListener('keydown', (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const all = items();
    if (!by || event.shiftKey || !all.includes(event.target)) return;
    event.preventDefault();
    all[(all.indexOf(event.target) + by + all.length) % all.length].focus();
  });
  return (item) => items().includes(element.getRootNode().activeElement) || enter(item);
}
