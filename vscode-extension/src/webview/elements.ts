/** Makes elements. Text is set as text, never as HTML: names of versions and reasons are anybody's. */

const SVG = "http://www.w3.org/2000/svg";

type Child = Node | string;

export function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElement {
  return filled(document.createElement(name), attributes, children);
}

export function drawn(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: Child[]
): SVGElement {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export function button(
  label: string,
  onClick: () => void,
  attributes: Readonly<Record<string, string>> = {},
): HTMLElement {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", onClick);
  return made;
}

function filled<E extends Element>(
  made: E,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly Child[],
): E {
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}
