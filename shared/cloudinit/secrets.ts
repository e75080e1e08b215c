/**
 * Secret values never pass through Drover: where a text needs one it holds an action of External Secrets' template
 * engine (Go templates, version 2), which puts the value in on the cluster. https://external-secrets.io/latest/guides/templating/
 */

/** Stands for a secret's value until the text around it is written; no text of a customization may hold it. */
export const marker = '\u0001'

export const toMark = (secret: string) => `${marker}${secret}${marker}`

/** A text as it is written, and how a mark and the value in its place are written in it. */
export interface Format {
  /** Finds a mark; its first group is the secret's name. */
  mark: RegExp
  /** The action that writes the secret's value, made safe for the place where it stands. */
  action: (secret: string) => string
}

/**
 * YAML: a text with a mark is always written in double quotes, with the mark as an escape. A value is written as JSON
 * without its quotes, which such a text reads back as it was, whatever quotes or line breaks are in it.
 */
export const yamlFormat: Format = {
  mark: /\\x01([a-zA-Z0-9]+)\\x01/,
  action: (secret) => `{{ slice (toJson .${secret}) 1 (sub (len (toJson .${secret})) 1) }}`,
}

/** XML: `html` escapes what XML would read as markup, and quotes by number. */
export const xmlFormat: Format = {
  mark: new RegExp(`${marker}([a-zA-Z0-9]+)${marker}`),
  action: (secret) => `{{ .${secret} | html }}`,
}

/** The names of the secrets that a text needs. */
export function secretsIn(text: string, { mark }: Format): string[] {
  return [...text.matchAll(new RegExp(mark, 'g'))].map((match) => match[1] ?? '')
}

/** The template whose result is this text with the secrets' values in it; what looks like an action stays text. */
export function toTemplate(text: string, { mark, action }: Format): string {
  // Splitting by an expression with one group alternates text, name, text, …
  const pieces = text.split(mark)
  return pieces.map((piece, at) => (at % 2 === 1 ? action(piece) : toLiteral(piece, at < pieces.length - 1))).join('')
}

/** Plain text of a template. A brace before an action would be read as part of it. */
function toLiteral(text: string, beforeAction: boolean): string {
  const literal = text.replace(/[{}]{2,}/g, (braces) => (/\{\{|\}\}/.test(braces) ? quoted(braces) : braces))
  return beforeAction && literal.endsWith('{') ? literal.slice(0, -1) + quoted('{') : literal
}

const quoted = (text: string) => `{{ \`${text}\` }}`
