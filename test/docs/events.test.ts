import { expect, it } from 'vitest'
import type { Event } from '../../shared/event.ts'
import { isSigned, sign } from '../../shared/signature.ts'
import { codeIn, page, part } from './page.ts'

const keys = [{ id: 'k1', secret: 'a secret of the tests' }]
const text = page('docs/events.md')

/** An event with every attribute that the page has a row for. */
const attributes = codeIn(part(text, '## Attributes').replace(/^(\| `\w+`).*$/gm, '$1')).filter(
  (name) => name !== 'signature',
)

function withAttributes(values: Record<string, string>, data: unknown = { message: 'as it was' }): Event {
  const { id = '', source = '', type = 'dev.drover.provision.named', subject = '', time = '', ...extensions } = values
  return { id, source, type, subject, time, extensions, data }
}

it('docs/events.md names what a signature covers, and no other', () => {
  const values = Object.fromEntries(attributes.map((name) => [name, `${name}-1`]))
  const event = withAttributes(values)
  const signature = sign(event, keys)
  const isBelieved = (changed: Event) =>
    isSigned({ ...changed, extensions: { ...changed.extensions, signature } }, keys)
  expect(isBelieved(event)).toBe(true)
  const covered = [...attributes, 'type'].filter(
    (name) => !isBelieved(withAttributes({ ...values, [name]: `${name}-2` })),
  )
  if (!isBelieved(withAttributes(values, { message: 'another' }))) covered.push('data')
  const [, said = ''] = /canonical form \(RFC 8785\) of (.*?), with/s.exec(part(text, '## The signature')) ?? []
  expect(codeIn(said)).toEqual(covered.sort())
})
