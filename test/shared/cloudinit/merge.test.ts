import { describe, expect, it } from 'vitest'
import { merge } from '../../../shared/cloudinit/merge.ts'

describe('merge', () => {
  it.each<[string, object[], object]>([
    [
      'lets a later part win, key by key, by default',
      [
        { a: 1, b: 1 },
        { b: 2, c: 2 },
      ],
      { a: 1, b: 2, c: 2 },
    ],
    ['replaces a whole map by default', [{ a: { x: 1, y: 1 } }, { a: { y: 2 } }], { a: { y: 2 } }],
    ['replaces a whole list by default', [{ a: [1, 2, 3] }, { a: [4] }], { a: [4] }],
    [
      'keeps the first of two values with no_replace, and adds what is new inside maps',
      [{ a: { x: 1 } }, { a: { x: 2, y: 2 }, merge_how: 'dict(no_replace)' }],
      { a: { x: 1, y: 2 } },
    ],
    [
      'keeps a scalar where dict() names no method, for no_replace is its own default',
      [{ a: 1 }, { a: 2, b: 2, merge_how: 'dict()' }],
      { a: 1, b: 2 },
    ],
    [
      'appends lists when merge_how says list(append) and dict recurses into lists',
      [{ a: ['x'] }, { a: ['y'], merge_how: 'dict(recurse_array,no_replace)+list(append)' }],
      { a: ['x', 'y'] },
    ],
    [
      'takes recurse_list for recurse_array',
      [{ a: { b: ['x'], c: 1 } }, { a: { b: ['y'] }, merge_how: 'dict(recurse_list)+list(append)' }],
      { a: { b: ['x', 'y'], c: 1 } },
    ],
    ['prepends lists', [{ a: ['x'] }, { a: ['y'], merge_how: 'dict(recurse_list)+list(prepend)' }], { a: ['y', 'x'] }],
    [
      'replaces a list item by item, so a shorter one leaves the rest',
      [{ a: [1, 2, 3] }, { a: [9], merge_how: 'dict(recurse_list)+list()' }],
      { a: [9, 2, 3] },
    ],
    [
      'drops what a longer list has more',
      [{ a: [1] }, { a: [8, 9], merge_how: 'dict(recurse_list)+list()' }],
      { a: [8] },
    ],
    [
      'merges lists inside lists by index',
      [
        {
          mounts: [
            ['vda', '/mnt', 'auto'],
            ['vdb', '/data'],
          ],
        },
        { mounts: [['vdc', '/mnt']], merge_how: 'dict(recurse_array)+list(recurse_list,recurse_str)+str()' },
      ],
      {
        mounts: [
          ['vdc', '/mnt', 'auto'],
          ['vdb', '/data'],
        ],
      },
    ],
    [
      'merges maps inside lists with recurse_dict',
      [{ a: [{ x: 1 }] }, { a: [{ y: 2 }], merge_how: 'dict(recurse_list)+list(recurse_dict)' }],
      { a: [{ x: 1, y: 2 }] },
    ],
    [
      'keeps a list with list(no_replace)',
      [{ a: [1] }, { a: [2, 3], merge_how: 'dict(recurse_list)+list(no_replace)' }],
      { a: [1] },
    ],
    [
      'joins texts with str(append) and recurse_str',
      [{ a: 'x' }, { a: 'y', merge_how: 'dict(recurse_str)+str(append)' }],
      { a: 'xy' },
    ],
    [
      'replaces a text with str() and recurse_str',
      [{ a: 'x' }, { a: 'y', merge_how: 'dict(recurse_str)+str()' }],
      { a: 'y' },
    ],
    [
      'removes a key that is null with allow_delete',
      [
        { a: 1, b: 1 },
        { a: null, merge_how: 'dict(replace,allow_delete)' },
      ],
      { b: 1 },
    ],
    ['keeps null as a value without allow_delete', [{ a: 1 }, { a: null }], { a: null }],
    ['prefers replace over no_replace', [{ a: 1 }, { a: 2, merge_how: 'dict(no_replace,replace)' }], { a: 2 }],
    [
      'prefers append over replace',
      [{ a: [1] }, { a: [2], merge_how: 'dict(recurse_list)+list(replace,append)' }],
      { a: [1, 2] },
    ],
    ['ignores a part whose mergers leave out dict', [{ a: [1] }, { a: [2], merge_how: 'list(append)' }], { a: [1] }],
    ['takes merge_type where there is no merge_how', [{ a: 1 }, { a: 2, merge_type: 'dict()' }], { a: 1 }],
    [
      'leaves merge_type as a key beside merge_how',
      [{ a: 1, merge_how: 'dict(replace)', merge_type: 'dict()' }],
      { a: 1, merge_type: 'dict()' },
    ],
    [
      'reads mergers as a list of names and settings',
      [
        { a: ['x'] },
        {
          a: ['y'],
          merge_how: [
            { name: 'dict', settings: ['recurse_list'] },
            { name: 'list', settings: ['append'] },
          ],
        },
      ],
      { a: ['x', 'y'] },
    ],
    [
      'reads mergers as a list of lists',
      [
        { a: ['x'] },
        {
          a: ['y'],
          merge_how: [
            ['dict', 'recurse_list'],
            ['list', 'append'],
          ],
        },
      ],
      { a: ['x', 'y'] },
    ],
    [
      'reads mergers in any letter case and with blanks',
      [{ a: ['x'] }, { a: ['y'], merge_how: ' DICT( Recurse_List ) + List(append) ' }],
      { a: ['x', 'y'] },
    ],
    [
      'appends the letters of a text to a list, as Python does',
      [{ a: ['x'] }, { a: 'yz', merge_how: 'dict(recurse_str)+list(append)' }],
      { a: ['x', 'y', 'z'] },
    ],
    [
      'appends the keys of a map to a list, as Python does',
      [{ a: ['x'] }, { a: { k: 1 }, merge_how: 'dict()+list(append)' }],
      { a: ['x', 'k'] },
    ],
    [
      'keeps an empty list that nothing may replace, though a map comes',
      [{ a: [] }, { a: { b: 1 }, merge_how: 'dict()+list(no_replace)' }],
      { a: [] },
    ],
    [
      'keeps a list that nothing may replace where an empty map comes',
      [{ a: ['x'] }, { a: {}, merge_how: 'dict()+list(no_replace)' }],
      { a: ['x'] },
    ],
    ['takes the defaults for an empty merge_how', [{ a: 1 }, { a: 2, merge_how: '' }], { a: 2 }],
    ['keeps a value whose type has no merger', [{ a: 1 }, { a: { b: 2 }, merge_how: 'dict()' }], { a: 1 }],
    [
      'appends each part by its own rule',
      [{ packages: ['a'] }, { packages: ['b'], merge_how: 'dict(recurse_list)+list(append)' }, { packages: ['c'] }],
      { packages: ['c'] },
    ],
    [
      'has a key named __proto__ as any other',
      [JSON.parse('{"__proto__":{"a":1}}')],
      JSON.parse('{"__proto__":{"a":1}}'),
    ],
  ])('%s', (_, parts, merged) => {
    expect(merge(parts)).toEqual(merged)
  })

  it('leaves the parts as they were', () => {
    const parts = [{ a: ['x'] }, { a: ['y'], merge_how: 'dict(recurse_list)+list(append)' }]
    merge(parts)
    expect(parts).toEqual([{ a: ['x'] }, { a: ['y'], merge_how: 'dict(recurse_list)+list(append)' }])
  })

  it.each<[string, unknown, string]>([
    ['an unknown merger', 'tuple(append)', 'there is no merger "tuple", wanted dict, list or str'],
    ['a merger without parentheses', 'list', '"list" is not of the form name(setting,…)'],
    ['a number', 3, 'it is neither a text nor a list'],
    ['an entry without a name', [{ settings: [] }], 'an entry of the list has no name'],
    ['an entry without settings', [{ name: 'list' }], 'the settings of "list" are not a list'],
  ])('refuses a merge_how with %s', (_, merge_how, message) => {
    expect(() => merge([{ merge_how }])).toThrow(message)
  })

  it.each<[string, object[]]>([
    ['a map put into a list', [{ a: ['x'] }, { a: { b: 1 }, merge_how: 'dict()+list(no_replace)' }]],
    ['a map put after a text', [{ a: 'x' }, { a: { b: 1 }, merge_how: 'dict()+str(append)' }]],
    ['a list put after a text', [{ a: 'x' }, { a: ['y'], merge_how: 'dict(recurse_list)+str(append)' }]],
  ])('refuses what cloud-init would drop a whole part for: %s', (what, parts) => {
    expect(() => merge(parts)).toThrow(`Cannot merge: ${what}`)
  })
})
