import temml from 'temml';

// Formulas are written as code spans in plain Unicode, `Σ_k w_k g_k`, which an editor shows as they are. On the site they
// are typeset: this file tells which spans are formulas, and writes them in the notation that Temml makes MathML of.

const greek = {
  ...{ α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'varepsilon', ζ: 'zeta', η: 'eta' },
  ...{ θ: 'theta', κ: 'kappa', λ: 'lambda', μ: 'mu', ν: 'nu', ξ: 'xi', π: 'pi', ρ: 'rho' },
  ...{ σ: 'sigma', τ: 'tau', φ: 'varphi', χ: 'chi', ψ: 'psi', ω: 'omega' },
  ...{ Γ: 'Gamma', Δ: 'Delta', Θ: 'Theta', Λ: 'Lambda', Φ: 'Phi', Ψ: 'Psi', Ω: 'Omega' },
};

/** Signs of which one makes a span a formula. */
const signs = {
  ...{ Σ: 'sum', '∑': 'sum', Π: 'prod', '∞': 'infty', '∂': 'partial', '∇': 'nabla' },
  ...{ '⟨': 'langle', '⟩': 'rangle', '⌊': 'lfloor', '⌋': 'rfloor', '⌈': 'lceil', '⌉': 'rceil' },
  ...{ '·': 'cdot', '⊙': 'odot', '∝': 'propto', '∈': 'in', '≈': 'approx', '←': 'leftarrow' },
  ...{ '≤': 'le', '≥': 'ge', '≠': 'ne', '±': 'pm', '∩': 'cap', '∪': 'cup' },
};

/** Signs that code has too, longest first. */
const operators = [
  ...[
    ['<=', '\\le '],
    ['>=', '\\ge '],
    ['×', '\\times '],
    ['→', '\\to '],
    ['−', '-'],
    ['…', '\\dots '],
  ],
  ...['=', '+', '-', '/', '<', '>', '(', ')', ','].map((sign) => [sign, sign]),
];

const functions = new Set(
  'argmax argmin clip cos diag exp gelu log max mean median min proj sign sin softmax sqrt tanh trace var ln'.split(
    ' ',
  ),
);

const above = {
  ...{ '⁰': '0', '¹': '1', '²': '2', '³': '3', '⁴': '4', '⁵': '5', '⁶': '6', '⁷': '7', '⁸': '8' },
  ...{ '⁹': '9', '⁻': '-', '⁺': '+', ᵀ: '\\top ', ᵗ: 't', '⁄': '/' },
};
const below = Object.fromEntries([...'₀₁₂₃₄₅₆₇₈₉'].map((digit, i) => [digit, String(i)]));
const accents = { '\u0304': 'bar', '\u0302': 'hat', '\u0303': 'tilde' };

/** A text that is no formula. */
class NoFormula extends Error {}

/**
 * Reads one formula from left to right.
 *
 * `strong` counts what only formulas have, `words` the names of several letters, `joints` the signs between terms.
 */
class Reader {
  strong = 0;
  words = 0;
  joints = 0;
  letters = 0;

  constructor(text) {
    this.text = text;
    this.at = 0;
    this.out = '';
    this.bars = 0;
    /** Whether a bar here would begin something. */
    this.opens = true;
  }

  /** What a pattern finds here, or null. */
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  put(latex, opens = false) {
    this.out += latex;
    this.opens = opens;
  }

  all() {
    while (this.at < this.text.length) this.one();
    if (this.bars !== 0) throw new NoFormula();
    return this.out;
  }

  one() {
    if (this.take(/\s+/y)) {
      this.out += ' ';
      return;
    }
    const number = this.take(/\d+(?:\.\d+)?(?:e[-−]?\d+)?|\.\d+/y);
    if (number) return this.put(number[0].replace('−', '-').replace(/e(-?\d+)/, '\\mathrm{e}{$1}'));
    const letter = this.take(/([a-zA-Zα-ω])([\u0302-\u0304])/y);
    if (letter) {
      this.strong += 1;
      return this.put(`\\${accents[letter[2]]}{${this.within(letter[1])}}`);
    }
    if (this.take(/½/y)) {
      this.strong += 1;
      return this.put('\\tfrac{1}{2}');
    }
    const product = this.take(/(?<=[α-ω])[a-z]+/y);
    if (product) return this.put([...product[0]].join(' '));
    const word = this.take(/[a-zA-Z]+/y);
    if (word) return this.word(word[0]);
    if (this.text[this.at] === '_') return this.subscript();
    if (this.take(/\^/y)) return this.superscript();
    if (this.take(/√/y)) {
      this.strong += 1;
      const call = this.take(/[a-zA-Z]+(?:_\w+|\([^()]*\))/y);
      return this.put(`\\sqrt{${call ? this.within(call[0]) : this.term()}}`);
    }
    if (this.take(/\*(?=$|[\s),|_])/y)) return this.put('^{*}');
    if (this.take(/\|/y)) return this.bar();
    if (this.take(/‖/y)) {
      this.strong += 1;
      return this.put('\\Vert ', this.opens);
    }
    const bracket = this.take(/(?<![a-zA-Z])\[|\]|[{}]|;(?=\s)/y);
    if (bracket) {
      this.words += 1;
      const brace = /[{}]/.test(bracket[0]);
      return this.put(brace ? `\\${bracket[0]}` : bracket[0], !/[\]}]/.test(bracket[0]));
    }
    const prime = this.take(/[′']/y);
    if (prime) {
      this.words += 1;
      return this.put("'");
    }
    const raised = this.take(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵗ⁄]+/y);
    if (raised) {
      this.strong += 1;
      return this.put(`^{${[...raised[0]].map((sign) => above[sign]).join('')}}`);
    }
    const lowered = this.take(/[₀₁₂₃₄₅₆₇₈₉]+/y);
    if (lowered) {
      this.strong += 1;
      return this.put(`_{${[...lowered[0]].map((digit) => below[digit]).join('')}}`);
    }
    this.sign();
  }

  word(name) {
    if (functions.has(name)) return this.put(`\\operatorname{${name}}`, true);
    if (name.length === 1) {
      this.letters += 1;
      return this.put(name);
    }
    this.words += 1;
    this.put(`\\mathrm{${name}}`);
  }

  /** `_k`, `_ij`, `_12`, `_i,t`, `_max`, `_{l−1}`. */
  subscript() {
    const single =
      /(^|[^a-zA-Z])[a-zA-Z]$/.test(this.text.slice(0, this.at)) ||
      !/[a-zA-Z]$/.test(this.text.slice(0, this.at));
    const group = this.take(/_(?:\{([^{}]*)\}|\(([^()]*)\))/y);
    if (group) {
      this.strong += 1;
      return this.put(`_{${this.within(group[1] ?? group[2])}}`);
    }
    const name = this.take(/_([a-zA-Zα-ω]|\d)+(,[a-z0-9](?![a-z0-9]))*/y);
    if (!name) throw new NoFormula();
    const text = name[0].slice(1);
    const before = this.text.slice(0, this.at - name[0].length);
    // A name such as `1001_DFA` or `a_b_c`.
    if (/\d$/.test(before) || this.text[this.at] === '_') throw new NoFormula();
    if (single && text.length <= 3) this.strong += 1;
    else this.words += 1;
    this.put(
      /^[a-zA-Z]{3,}$/.test(text)
        ? `_{\\mathrm{${text}}}`
        : `_{${this.within(text.replaceAll(/(?<=[a-z])(?=[a-z])/g, ' '))}}`,
    );
  }

  /** `^2`, `^d`, `^(t−s)`, `^⌊step / every⌋`. */
  superscript() {
    this.strong += 1;
    this.put(`^{${this.term()}}`);
  }

  /** What follows a root or a raising sign: a group, a name, a number or a sign. */
  term() {
    const closers = { '(': ')', '⌊': '⌋', '{': '}' };
    const open = this.text[this.at];
    const close = closers[open];
    if (close === undefined) {
      const simple = this.take(/[a-zA-Z]+|\d+|[α-ω]/y);
      if (!simple) throw new NoFormula();
      return this.within(simple[0]);
    }
    let depth = 0;
    for (let end = this.at; end < this.text.length; end += 1) {
      if (this.text[end] === open) depth += 1;
      if (this.text[end] === close) depth -= 1;
      if (depth > 0) continue;
      const inner = this.text.slice(this.at + 1, end);
      this.at = end + 1;
      return open === '⌊' ? `\\lfloor ${this.within(inner)}\\rfloor ` : this.within(inner);
    }
    throw new NoFormula();
  }

  within(text) {
    const reader = new Reader(text);
    const latex = reader.all();
    this.words += reader.words;
    this.letters += reader.letters;
    return latex;
  }

  bar() {
    if (this.opens || this.bars === 0) {
      this.bars += 1;
      this.strong += 1;
      return this.put('\\lvert ', true);
    }
    this.bars -= 1;
    this.put('\\rvert ');
  }

  sign() {
    const rest = this.text.slice(this.at);
    const [character] = rest;
    if (character in greek) {
      this.at += 1;
      this.strong += 1;
      return this.put(`\\${greek[character]} `);
    }
    if (character in signs) {
      this.at += 1;
      this.strong += 1;
      return this.put(`\\${signs[character]} `, !'⟩⌋⌉∞'.includes(character));
    }
    const found = operators.find(([sign]) => rest.startsWith(sign));
    if (found === undefined || /^(=>|==|->|--|\+\+|\/\/)/.test(rest)) throw new NoFormula();
    this.at += found[0].length;
    if (!['(', ')', ',', '/'].includes(found[0])) this.joints += 1;
    this.put(found[1], found[0] !== ')');
  }
}

/** A formula in TeX's notation, or null for a text that is code. */
export function latexOf(text) {
  const plain = text.replaceAll(/[à-ž]/g, (letter) => letter.normalize('NFD'));
  // Words that a hyphen or a full stop joins are names; `f()` and `someName(` are calls.
  if (/[a-zA-Z]{2}[-.][a-zA-Z]|\(\)|^[-/.]|[a-z][A-Z]\w*\(/.test(plain)) return null;
  const reader = new Reader(plain);
  try {
    const latex = reader.all();
    if (reader.strong > 0) return latex.trim();
    return reader.words === 0 && reader.letters > 0 && reader.joints > 0 ? latex.trim() : null;
  } catch (error) {
    if (error instanceof NoFormula) return null;
    throw error;
  }
}

/** MathML of a formula, or null for a text that is code. */
export function typeset(text) {
  const latex = latexOf(text);
  return latex === null ? null : temml.renderToString(latex, { throwOnError: true, wrap: 'tex' });
}

/** Code spans that are formulas are typeset. */
export function formulas(markdown) {
  const plain = markdown.renderer.rules.code_inline;
  markdown.renderer.rules.code_inline = (tokens, index, options, env, renderer) =>
    typeset(tokens[index].content)?.replace('<math', '<math v-pre') ??
    plain(tokens, index, options, env, renderer);
}
