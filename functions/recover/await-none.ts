import type { Here } from '../../shared/step.ts'

/** Undefined once a view shows that nothing is left on a cluster; else the sentence that says what is. */
export async function awaitNone<View>(
  views: AsyncIterable<View>,
  leftIn: (view: View) => string[],
  sentence: (left: string) => string,
  here: Here,
): Promise<string | undefined> {
  let left = 'something'
  for await (const view of views) {
    left = leftIn(view).join(', ')
    if (left === '') return undefined
    await here.progress(sentence(left))
  }
  return sentence(left)
}
