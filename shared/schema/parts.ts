import { Type } from 'typebox'

/**
 * The words that schemas are made of. Every pattern is anchored and every string has a maximum, so a validator's cost
 * is bounded; `description` is what an error tells the requester to write instead.
 */

/** An RFC 1123 label that is shorter than it may be, because something is put behind it. */
export const LabelUpTo = (maxLength: number) =>
  Type.String({
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    maxLength,
    description: `up to ${maxLength} lower-case letters, digits and "-", beginning and ending with a letter or digit`,
  })

/** RFC 1123 label: what Kubernetes takes for a Namespace and DNS for a host name. */
export const Label = LabelUpTo(63)

const subdomain = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'

/** RFC 1123 subdomain: what Kubernetes takes for most object names. */
export const Subdomain = Type.String({
  pattern: `^${subdomain}$`,
  maxLength: 253,
  description: 'lower-case letters, digits, "-" and ".", such as "rhel.9"',
})

/** A label or annotation key with its optional prefix, a subdomain of at most 253 characters. */
export const labelKey = `^((?=[^/]{1,253}/)${subdomain}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`

export const LabelValue = Type.String({
  pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$',
  maxLength: 63,
  description: 'up to 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
})

/** What names are made from, such as "{environment}-{application}-{number:3}". */
export const NamePattern = Type.String({
  pattern: '^([a-z0-9-]|\\{[a-z]{1,20}(:[1-6])?\\})+$',
  maxLength: 120,
  description: 'lower-case letters, digits, "-", {environment}, {application}, {namespace}, {template} and {number:3}',
})

export const Quantity = Type.String({
  pattern: '^[1-9][0-9]{0,8}(Mi|Gi|Ti)$',
  description: 'a size such as "512Mi", "40Gi" or "2Ti"',
})

export const Cidr = Type.String({
  pattern: '^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$',
  description: 'a subnet such as "10.20.0.0/24" or "fd00:20::/64"',
})

export const Address = Type.String({
  pattern: '^[0-9a-fA-F:.]{2,45}$',
  description: 'an IP address such as "10.20.0.17" or "fd00:20::17"',
})

/** One line of printable text: what may stand in a commit message, a label's title or a log line. */
export const Line = Type.String({
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$',
  maxLength: 256,
  description: 'one line of at most 256 printable characters',
})

export const HttpsUrl = Type.String({
  pattern: '^https?://[^\\s"\'<>\\\\^`{|}\\u0000-\\u001f\\u007f-\\uffff]+$',
  maxLength: 2048,
  description: 'a URL that begins with https:// (http:// where the policy allows the host)',
})

/** An object that refuses fields it does not know, so that a misspelt field is an error and not a silence. */
export const Strict = <P extends Record<string, import('typebox').TSchema>>(properties: P, options: object = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })
