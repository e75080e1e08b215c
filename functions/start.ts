import { readCompiled } from './compiled.ts'

/** `npm start`: the small part that Node compiles itself; all else comes as it was compiled when the image was made. */
readCompiled()
void import('./main.ts')
