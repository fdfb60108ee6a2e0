# shellcheck shell=sh
# Sourced, from the repository's root, by what runs tests: Python packages and Kafka's jars, fetched once for
# each list of versions and kept in the cache.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/millrace

# Sets `python` to the environment's folder.
python_ready() {
    list=tests/system/requirements.txt
    python=$cache/venv-$(cksum <"$list" | cut -d' ' -f1)
    if [ ! -e "$python/ready" ]; then
        echo "fetching Python packages"
        mkdir -p "$cache"
        rm -rf "$python"
        python3 -m venv "$python" && "$python/bin/pip" install -q -r "$list" && touch "$python/ready"
    fi
}

# Exports MILLRACE_KAFKA_LIBS, the folder of the jars.
kafka_ready() {
    list=tests/system/kafka.pom.xml
    MILLRACE_KAFKA_LIBS=$cache/kafka-$(cksum <"$list" | cut -d' ' -f1)
    export MILLRACE_KAFKA_LIBS
    if [ ! -e "$MILLRACE_KAFKA_LIBS/ready" ]; then
        echo "fetching Kafka's jars"
        mkdir -p "$cache"
        rm -rf "$MILLRACE_KAFKA_LIBS"
        mvn -B -q -f "$list" dependency:copy-dependencies -DoutputDirectory="$MILLRACE_KAFKA_LIBS" &&
            touch "$MILLRACE_KAFKA_LIBS/ready"
    fi
}
