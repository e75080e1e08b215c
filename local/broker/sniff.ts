import type { CloudEvent } from './event.ts'

/** Gives a reply with data and without content type the one that Go's HTTP server would give it, roughly. */
export function sniff(reply: CloudEvent): CloudEvent {
  if (reply.data.length === 0 || reply.attributes.datacontenttype) return reply
  return { attributes: { ...reply.attributes, datacontenttype: guess(reply.data) }, data: reply.data }
}

function guess(data: Buffer): string {
  const start = data.subarray(0, 512).toString('latin1').trimStart().toLowerCase()
  if (/^<(!doctype html|html|head|body|script|div|p|h1|table|a)[\s>]/.test(start)) return 'text/html; charset=utf-8'
  if (start.startsWith('<?xml')) return 'text/xml; charset=utf-8'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells octets from text
  return /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(start) ? 'application/octet-stream' : 'text/plain; charset=utf-8'
}
