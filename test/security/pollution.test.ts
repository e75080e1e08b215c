import { afterEach, describe, expect, it } from 'vitest'
import { fillValue } from '../../shared/cloudinit/fill.ts'
import { merge } from '../../shared/cloudinit/merge.ts'
import { readEvent } from '../../shared/event.ts'
import { toMachine } from '../../shared/join.ts'
import { check } from '../../shared/schema/check.ts'
import { Customization } from '../../shared/schema/fleet-files.ts'
import { sign } from '../../shared/signature.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { smallRequest } from '../examples/starter.ts'
import { keys } from '../shared/events.ts'
import { doors } from './doors.ts'

/** A field called `__proto__` or `constructor` is a field, and refused; it never becomes what every object inherits from. */

const names = ['__proto__', 'constructor', 'prototype']
const evil = (name: string) =>
  `{"${name}":{"polluted":true},"a":{"${name}":{"polluted":true,"prototype":{"polluted":true}}}}`

afterEach(() => {
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(([] as unknown as Record<string, unknown>)['polluted']).toBeUndefined()
  expect((() => 0) as unknown as Record<string, unknown>).not.toHaveProperty('polluted')
})

describe.each(names)('%s', (name) => {
  it.each(doors)('is refused anywhere in $name', ({ schema, good }) => {
    const value = JSON.parse(JSON.stringify(good[0]).replace(/\{/, `{"${name}":{"polluted":true},`))
    expect(check(schema, value, 'the value')).toEqual({
      ok: false,
      problems: expect.arrayContaining([`the value has a field named "${name}", which is not allowed anywhere`]),
    })
  })

  it('comes through JSON, YAML and the signature as a field', () => {
    const data = JSON.parse(evil(name))
    expect(Object.hasOwn(parseYaml(evil(name)) as object, name)).toBe(true)
    expect(parseYaml(toYaml(data))).toEqual(data)
    const event = readEvent({ 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 'x' }, evil(name))
    expect(sign(event, keys)).not.toBe(sign({ ...event, data: { a: {} } }, keys))
  })

  it('as an attribute of an event is no attribute', () => {
    const body = `{"specversion":"1.0","id":"1","source":"/x","type":"x","${name}":{"polluted":true}}`
    expect(() => readEvent({ 'content-type': 'application/cloudevents+json' }, body)).toThrow(
      'an attribute is not text',
    )
  })

  it('in cloud-config is merged into nothing, and its customization refused', () => {
    const part = JSON.parse(evil(name)) as object
    merge([{ a: { b: 1 } }, part, part])
    fillValue(part, () => 'x')
    const file = { description: 'x', guest: 'linux', userData: part }
    expect(check(Customization, file, 'the file')).toMatchObject({ ok: false })
  })

  it('in what a template lets a request override makes no machine another', () => {
    const template = JSON.parse(JSON.stringify(doors.find((one) => one.name === 'a template')!.good[0]))
    const request = { ...smallRequest(), variables: JSON.parse(evil(name)), labels: JSON.parse(evil(name)) }
    toMachine(template, request)
  })
})
