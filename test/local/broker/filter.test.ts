import { describe, expect, it } from 'vitest'
import type { Attributes } from '../../../local/broker/event.ts'
import { matches, type TriggerFilters } from '../../../local/broker/filter.ts'

const event: Attributes = {
  specversion: '1.0',
  id: 'i',
  source: '/drover/validate',
  type: 'dev.drover.provision.validated',
  subject: 'shop/web01',
  datacontenttype: 'application/json; charset=utf-8',
  runid: 'r1',
  empty: '',
}

describe('matches', () => {
  const rows: [string, TriggerFilters, boolean][] = [
    ['takes all without a filter', {}, true],
    ['takes all with an empty filter', { filter: {} }, true],
    ['takes an equal attribute', { filter: { attributes: { runid: 'r1' } } }, true],
    ['refuses an attribute that only begins so', { filter: { attributes: { subject: 'shop' } } }, false],
    ['refuses when one of two attributes differs', { filter: { attributes: { runid: 'r1', id: 'x' } } }, false],
    ['takes any value for an empty one', { filter: { attributes: { runid: '' } } }, true],
    ['refuses an absent attribute for an empty value', { filter: { attributes: { cluster: '' } } }, false],
    ['refuses an empty attribute for an empty value', { filter: { attributes: { empty: '' } } }, false],
    ['takes an event without time for an empty time', { filter: { attributes: { time: '' } } }, true],
    ['refuses what every object has', { filter: { attributes: { constructor: '' } } }, false],
    ['knows datamediatype', { filter: { attributes: { datamediatype: 'application/json' } } }, true],
    ['prefers filters', { filter: { attributes: { id: 'x' } }, filters: [{ exact: { id: 'i' } }] }, true],
    ['falls back to filter', { filter: { attributes: { id: 'x' } }, filters: [] }, false],
    ['knows exact', { filters: [{ exact: { type: 'dev.drover.provision' } }] }, false],
    ['knows prefix', { filters: [{ prefix: { type: 'dev.drover.' } }] }, true],
    ['knows suffix', { filters: [{ suffix: { type: '.validated' } }] }, true],
    ['wants each of several attributes', { filters: [{ prefix: { type: 'dev.', subject: 'bank/' } }] }, false],
    ['wants each of several filters', { filters: [{ prefix: { type: 'dev.' } }, { exact: { id: 'x' } }] }, false],
    ['knows any', { filters: [{ any: [{ exact: { id: 'x' } }, { exact: { id: 'i' } }] }] }, true],
    ['knows all', { filters: [{ all: [{ exact: { id: 'x' } }, { exact: { id: 'i' } }] }] }, false],
    ['knows not', { filters: [{ not: { exact: { id: 'x' } } }] }, true],
    ['takes an absent attribute for one that is not so', { filters: [{ not: { exact: { cluster: 'a' } } }] }, true],
    ['drops elements with an empty value', { filters: [{ exact: { cluster: '' } }, { exact: { id: 'i' } }] }, true],
    ['takes all when nothing is left', { filters: [{ exact: { cluster: '' } }, {}] }, true],
  ]
  it.each(rows)('%s', (_, filters, expected) => {
    expect(matches(filters, event)).toBe(expected)
  })
})
