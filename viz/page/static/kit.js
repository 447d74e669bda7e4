// The page's tools: elements, numbers as text, and what is let in from a string of markup.
//
// state (made in mount.js, handed to every part): payload, step (index), frame, granularity, quiz, breakpoints (Set),
// opened (Set of lens titles), answered (Set of steps the quiz is done with); of the frame shown: array(i) → unpacked
// array, stepAt(k), valueOf(node) → index of an array; goto(k), refresh(), highlight(nodes) (empty call: back to
// the step's own), say(text), gradientOf(node, k) → {state: 'none' | 'partial' | 'final', part: [k, n], array}.

const SVG = 'http://www.w3.org/2000/svg';
const MATHML = 'http://www.w3.org/1998/Math/MathML';
const FEW = 12;
/** The width of a letter of the drawing, and the size of its smallest ones. */
const [LETTER, LEGIBLE] = [6.05, 9];

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** An HTML element: h('button', {class: 'go', onclick: f}, 'text', child…). Strings become text, never markup. */
function h(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function s(tag, attributes, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/** A MathML element. */
function m(tag, attributes, ...children) {
  return build(document.createElementNS(MATHML, tag), attributes, children);
}

/** Four significant digits, as Python's '.4g', with a real minus sign. */
function number(x) {
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? 'Inf' : '−Inf';
  const [digits, power] = x.toExponential(3).split('e').map(Number);
  if (x === 0) return '0';
  const text = power < -4 || power >= 4
    ? `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    : String(Number(x.toPrecision(4)));
  return text.replace(/-/g, '−');
}

/** A number as it stands behind an operator: negative ones in brackets. */
function bracketed(x) {
  return x < 0 ? `(${number(x)})` : number(x);
}

function shapeText(shape) {
  return shape.length ? `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})` : 'scalar';
}

/** Shows a short text at a place of an element (fractions of its width and height); empty: hides it. */
function tip(element, text, x = 1, y = 1) {
  const app = element.closest('.app');
  const box = app && app.querySelector('.tip');
  if (!box) return;
  box.textContent = text;
  box.hidden = !text;
  if (!text) return;
  const [place, from] = [element.getBoundingClientRect(), app.getBoundingClientRect()];
  const left = Math.min(place.left - from.left + x * place.width + 6, from.width - box.offsetWidth - 4);
  box.style.left = `${Math.max(0, left)}px`;
  box.style.top = `${place.top - from.top + y * place.height + 6}px`;
}

/** Puts a sentence into the live region of the step view that `element` is in. */
function say(element, text) {
  const app = element.closest('.app');
  if (app) app.querySelector('.live').textContent = text;
}

const ALLOWED = {
  [SVG]: ['svg g path polygon polyline ellipse rect circle line text tspan title desc image',
    `width height viewBox preserveAspectRatio class transform d points cx cy r rx ry x y x1 y1 x2 y2 dx dy fill stroke
     stroke-width stroke-dasharray stroke-linecap opacity fill-opacity stroke-opacity font-family font-size font-weight
     font-style text-anchor dominant-baseline data-box data-slot data-edge data-layer role aria-label href xml:space`],
  [MATHML]: ['math mrow mi mn mo ms mtext mspace mfrac msup msub msubsup msqrt mroot mover munder munderover'
    + ' mtable mtr mtd mstyle mpadded mphantom mmultiscripts mprescripts',
    `data-symbol display displaystyle scriptlevel mathvariant form fence separator stretchy symmetric largeop
     lspace rspace movablelimits accent accentunder linethickness columnalign width height depth voffset class columnspan rowspan
     minsize maxsize`],
};
for (const [space, lists] of Object.entries(ALLOWED)) ALLOWED[space] = lists.map((list) => new Set(list.split(/\s+/)));

/** A copy of parsed markup that holds only known elements, known attributes and text. */
function admitted(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  const [tags, names] = ALLOWED[node.namespaceURI] || [];
  if (!tags || !tags.has(node.localName)) return null;
  const copy = document.createElementNS(node.namespaceURI, node.localName);
  for (const { name, localName, value } of node.attributes) {
    if (localName === 'href' ? /^data:image\/png;base64,[\w+/=]*$/.test(value) : names.has(name)) {
      copy.setAttribute(localName === 'href' ? 'href' : name, value);
    }
  }
  copy.append(...Array.from(node.childNodes, admitted).filter(Boolean));
  return copy;
}

function parsed(text, type) {
  const page = new DOMParser().parseFromString(text, type);
  return page.getElementsByTagName('parsererror').length ? null : page.documentElement;
}

/** A string of SVG as an element, without anything that could run or load. */
function svg(text) {
  const root = parsed(text, 'image/svg+xml');
  return (root && admitted(root)) || s('svg', {});
}

/** A string of MathML (a <math>, or what stands in one) as a <math> element; null if it is not well-formed. */
function mathml(text) {
  const root = parsed(`<math xmlns="${MATHML}">${text}</math>`, 'application/xml');
  if (!root) return null;
  const only = root.children.length === 1 && root.firstElementChild.localName === 'math';
  return admitted(only ? root.firstElementChild : root);
}

function setClasses(group, classes) {
  if (group) for (const [name, on] of Object.entries(classes)) group.classList.toggle(name, on);
}

/** Light or dark: what the notebook says, else what the system prefers. */
function followTheme(app) {
  const body = document.body;
  const decide = () => {
    const { jpThemeLight } = body.dataset;
    const kind = body.dataset.vscodeThemeKind || '';
    const dark = jpThemeLight ? jpThemeLight === 'false' : kind ? kind.includes('dark') : null;
    app.style.colorScheme = dark === null ? 'light dark' : dark ? 'dark' : 'light';
  };
  const watcher = new MutationObserver(decide);
  watcher.observe(body, { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-vscode-theme-kind'] });
  decide();
}
