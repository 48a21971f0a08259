// The TensorFlow library greets on stderr while it is being loaded, before anything can be said to it. `silently(load)`
// runs `load` with stderr in a file and then writes on what is more than a greeting.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <node_api.h>

static bool IsGreeting(const char *line) {
  static const char warning[] = "WARNING: All log messages before absl::InitializeLog()";
  // Information is marked by I and the date.
  return strncmp(line, warning, sizeof(warning) - 1) == 0 || (line[0] == 'I' && line[1] >= '0' && line[1] <= '1');
}

static napi_value Silently(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value load, self, result = nullptr;
  napi_get_cb_info(env, info, &argc, &load, &self, nullptr);
  fflush(stderr);
  FILE *kept = tmpfile();
  const int original = kept == nullptr ? -1 : dup(STDERR_FILENO);
  if (original >= 0) dup2(fileno(kept), STDERR_FILENO);
  // An exception stays pending and reaches the caller.
  napi_call_function(env, self, load, 0, nullptr, &result);
  fflush(stderr);
  if (original >= 0) {
    dup2(original, STDERR_FILENO);
    close(original);
    rewind(kept);
    char line[4096];
    while (fgets(line, sizeof(line), kept) != nullptr)
      if (!IsGreeting(line)) fputs(line, stderr);
  }
  if (kept != nullptr) fclose(kept);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value silently;
  napi_create_function(env, "silently", NAPI_AUTO_LENGTH, Silently, nullptr, &silently);
  napi_set_named_property(env, exports, "silently", silently);
  return exports;
}
