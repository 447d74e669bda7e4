// One tab stop for many: arrow keys move the focus among them, Tab leads out.

/**
 * Items of an element, asked for anew each time; returns a function that says at which one Tab leads in. ↑ and ↓ move:
 * ← and → step, wherever the focus is, but in a line of links (`across`).
 */
function oneStop(element, items, { across = false } = {}) {
  const keys = { ArrowUp: -1, ArrowDown: 1, ...(across && { ArrowLeft: -1, ArrowRight: 1 }) };
  const enter = (item) => {
    for (const other of items()) other.setAttribute('tabindex', other === item ? 0 : -1);
  };
  element.addEventListener('focusin', ({ target }) => items().includes(target) && enter(target));
  element.addEventListener('keydown', (event) => {
    const [by, all] = [keys[event.key], items()];
    if (!by || event.shiftKey || all.length < 2 || !all.includes(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
    all[(all.indexOf(event.target) + by + all.length) % all.length].focus();
  });
  return (item) => items().includes(element.getRootNode().activeElement) || enter(item);
}

/** A row of buttons that is one tab stop: what it is called, and what is in it. */
function toolbar(element, label) {
  build(element, { role: 'toolbar', 'aria-label': label, 'aria-orientation': 'vertical' }, []);
  return oneStop(element, () => [...element.querySelectorAll('button, input')]);
}
