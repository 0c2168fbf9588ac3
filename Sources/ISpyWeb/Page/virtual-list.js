// A list of rows of one height of which only the visible ones are in the document: 2,000 devices cost as much as 20.
import { h } from "./dom.js";

export class VirtualList {
  #rows = [];
  #rowHeight;
  #key;
  #make;
  #inner;
  #used = new Map();
  #free = [];
  #height = 0;
  #asked = false;
  #focusKey = null;

  /// `make()` gives {element, set(row, index)}; `rowHeight()` may change with the width of the window.
  constructor({ rowHeight, key, make, role, label, headerRows = 0 }) {
    this.#rowHeight = rowHeight;
    this.#key = key;
    this.#make = make;
    this.headerRows = headerRows;
    this.#inner = h("div", { class: "virtual-inner", role: role === "list" ? "presentation" : "rowgroup" });
    this.element = h("div", { class: "virtual", role: role === "list" ? "list" : "presentation", "aria-label": role === "list" ? label : null }, this.#inner);
    this.element.addEventListener("scroll", () => this.#ask(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.#move(event));
    new ResizeObserver(() => this.#ask()).observe(this.element);
  }

  get rows() {
    return this.#rows;
  }

  /// Shows these rows; elements of rows that stay are kept.
  show(rows) {
    this.#rows = rows;
    this.#render();
  }

  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#render();
    });
  }

  #render() {
    const height = this.#rowHeight();
    const total = this.#rows.length * height;
    if (total !== this.#height) {
      this.#height = total;
      this.#inner.style.height = `${total}px`;
    }
    const top = this.element.scrollTop;
    const first = Math.max(0, Math.floor(top / height) - 4);
    const last = Math.min(this.#rows.length, Math.ceil((top + this.element.clientHeight) / height) + 4);
    const next = new Map();
    for (let index = first; index < last; index += 1) next.set(this.#key(this.#rows[index]), index);
    for (const [key, row] of this.#used) {
      if (next.has(key)) continue;
      this.#used.delete(key);
      row.element.remove();
      this.#free.push(row);
    }
    // The order in the document is the order that is seen: for the keyboard and for those who listen.
    let before = null;
    for (const [key, index] of next) {
      let row = this.#used.get(key);
      if (!row) {
        row = this.#free.pop() ?? this.#make();
        this.#used.set(key, row);
      }
      const place = before ? before.nextSibling : this.#inner.firstChild;
      // Moving an element would take the focus from it; the others move around it.
      const keepsFocus = row.element.isConnected && row.element.contains(document.activeElement);
      if (place !== row.element && !keepsFocus) this.#inner.insertBefore(row.element, place);
      before = row.element;
      if (row.top !== index * height) {
        row.top = index * height;
        row.element.style.transform = `translateY(${row.top}px)`;
        row.element.style.height = `${height}px`;
      }
      if (this.element.role === "list" || this.headerRows === 0) {
        row.element.setAttribute("aria-setsize", this.#rows.length);
        row.element.setAttribute("aria-posinset", index + 1);
      } else {
        row.element.setAttribute("aria-rowindex", index + 1 + this.headerRows);
      }
      row.index = index;
      row.set(this.#rows[index], index);
    }
    if (this.#focusKey !== null && this.#used.has(this.#focusKey)) {
      this.#used.get(this.#focusKey).element.querySelector("a")?.focus({ preventScroll: true });
      this.#focusKey = null;
    }
  }

  /// Up and down go from row to row, beyond what is in the document.
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.tagName === "SELECT") return;
    const row = [...this.#used.values()].find((one) => one.element.contains(event.target));
    const index = row ? row.index + step : -1;
    if (index < 0 || index >= this.#rows.length) return;
    event.preventDefault();
    const height = this.#rowHeight();
    const top = index * height;
    const view = this.element;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + height > view.scrollTop + view.clientHeight) view.scrollTop = top + height - view.clientHeight;
    this.#focusKey = this.#key(this.#rows[index]);
    this.#render();
  }
}
