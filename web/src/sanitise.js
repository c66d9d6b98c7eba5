// The statement arrives as HTML the server has already cleaned. It is parsed here into an inert document and built
// again from an allow-list, element by element: what is not on the list cannot come through, whoever sent it.

const TAGS = new Set(['A', 'B', 'BLOCKQUOTE', 'BR', 'CAPTION', 'CODE', 'DD', 'DEL', 'DIV', 'DL', 'DT', 'EM', 'FIGCAPTION',
  'FIGURE', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'HR', 'I', 'IMG', 'INS', 'KBD', 'LI', 'OL', 'P', 'PRE', 'S', 'SAMP', 'SMALL',
  'SPAN', 'STRONG', 'SUB', 'SUP', 'TABLE', 'TBODY', 'TD', 'TFOOT', 'TH', 'THEAD', 'TR', 'U', 'UL', 'VAR']);
/** Presentation MathML, by local name. */
const MATH = new Set(['math', 'mfrac', 'mi', 'mn', 'mo', 'mover', 'mpadded', 'mroot', 'mrow', 'mspace', 'msqrt', 'mstyle', 'msub',
  'msubsup', 'msup', 'mtable', 'mtd', 'mtext', 'mtr', 'munder', 'munderover']);
const MATH_NAMESPACE = 'http://www.w3.org/1998/Math/MathML';
/** Left out together with everything inside; other unknown elements only lose their tags. */
const DROPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'EMBED', 'NOSCRIPT', 'TITLE', 'TEXTAREA', 'SELECT',
  'BUTTON', 'FORM', 'SVG', 'LINK', 'META', 'BASE', 'AUDIO', 'VIDEO', 'CANVAS',
  'ANNOTATION', 'ANNOTATION-XML']);
const ATTRIBUTES = { TD: ['colspan', 'rowspan'], TH: ['colspan', 'rowspan', 'scope'], OL: ['start'], IMG: ['alt', 'width', 'height'] };
const MAX_NODES = 20_000;
const MAX_DEPTH = 60;

/** The allowed part of `html` as a fragment. Costs at most `MAX_NODES` nodes; the rest of a larger text is left out. */
export function sanitise(html, { parse = parseHTML, target = document, origin = location.origin } = {}) {
  const budget = { nodes: MAX_NODES };
  const fragment = target.createDocumentFragment();
  copyChildren(parse(html), fragment, { budget, target, origin }, 0);
  return fragment;
}

function parseHTML(html) {
  return new DOMParser().parseFromString(html, 'text/html').body;
}

function copyChildren(from, to, context, depth) {
  for (const node of from.childNodes) {
    if (context.budget.nodes <= 0 || depth > MAX_DEPTH) return;
    context.budget.nodes -= 1;
    if (node.nodeType === 3) {
      to.append(context.target.createTextNode(node.nodeValue));
    } else if (node.nodeType === 1) {
      copyElement(node, to, context, depth);
    }
  }
}

function copyElement(node, to, context, depth) {
  const tag = node.tagName.toUpperCase();
  if (DROPPED.has(tag)) return;
  if (node.namespaceURI === MATH_NAMESPACE && MATH.has(node.localName)) {
    const copy = context.target.createElementNS(MATH_NAMESPACE, node.localName);
    if (node.getAttribute('display') === 'block') copy.setAttribute('display', 'block');
    copyChildren(node, copy, context, depth + 1);
    to.append(copy);
    return;
  }
  if (!TAGS.has(tag)) return copyChildren(node, to, context, depth + 1);
  const copy = context.target.createElement(headingBelow(tag));
  for (const name of ATTRIBUTES[tag] ?? []) {
    const value = node.getAttribute(name);
    if (value !== null) copy.setAttribute(name, value);
  }
  if (tag === 'A' && !link(copy, node.getAttribute('href'))) return copyChildren(node, to, context, depth + 1);
  if (tag === 'IMG' && !image(copy, node.getAttribute('src'), context.origin)) return;
  copyChildren(node, copy, context, depth + 1);
  to.append(copy);
}

// The page's own headings stand above those of a statement.
function headingBelow(tag) {
  const level = /^H([1-6])$/.exec(tag)?.[1];
  return level ? `h${Math.min(6, Number(level) + 2)}` : tag.toLowerCase();
}

/** Links leave in a new tab, by http or https only. */
function link(element, href) {
  const url = parseURL(href);
  if (!url || !['http:', 'https:'].includes(url.protocol)) return false;
  element.setAttribute('href', url.href);
  element.setAttribute('rel', 'noopener noreferrer nofollow');
  element.setAttribute('target', '_blank');
  return true;
}

/** Pictures come from this server only. */
function image(element, source, origin) {
  const url = parseURL(source, origin);
  if (!url || url.origin !== origin) return false;
  element.setAttribute('src', url.href);
  element.setAttribute('loading', 'lazy');
  return true;
}

function parseURL(text, base) {
  try {
    return new URL(text ?? '', base);
  } catch {
    return null;
  }
}
